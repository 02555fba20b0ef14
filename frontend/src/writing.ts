// A template, snippet or signature: the editor in the place of the plain field, and a warning before text is lost.
import { startEditor } from "./editor.ts";

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
