// A template, snippet or signature: the editor in the place of the plain field, and a warning before text is lost.
import { startEditor } from "./editor.ts";
import { toast } from "./toasts.ts";

const NO_PICTURES = "Nothing was put in: a template or signature carries no pictures or files. Put them into the email itself.";

/** Files are refused in words; text that comes beside its own picture, as from a spreadsheet, is put in. */
function refuse(event: Event, data: DataTransfer | null): void {
  if (!data || data.files.length === 0 || data.types.includes("text/plain")) return;
  event.preventDefault();
  event.stopPropagation();
  toast(NO_PICTURES, "warn");
}

function start(form: HTMLFormElement): void {
  const place = form.querySelector<HTMLElement>("#editor");
  const textarea = form.querySelector<HTMLTextAreaElement>("textarea[name=text]");
  if (!place || !textarea) return;
  const html = document.createElement("input");
  html.type = "hidden";
  html.name = "html";
  form.append(html);
  textarea.remove();
  place.hidden = false;
  let dirty = false;
  const editor = startEditor(place, form, place.dataset["html"] ?? "", () => (dirty = true));
  form.addEventListener("input", () => (dirty = true));
  form.addEventListener("paste", (event) => refuse(event, event.clipboardData), true);
  form.addEventListener("drop", (event) => refuse(event, event.dataTransfer), true);
  form.addEventListener("submit", () => {
    html.value = editor.html();
    dirty = false;
  });
  addEventListener("beforeunload", (event) => {
    if (dirty) event.preventDefault();
  });
}

const form = document.querySelector<HTMLFormElement>("form#writing");
if (form) start(form);
