// The compose page: fields, editor, saving while writing, and the gates panel.
import { Autosave, type SaveState } from "./autosave.ts";
import { startEditor } from "./editor.ts";
import { dropCopy, draftKey, keepCopy, readCopy, sameFields, type Fields } from "./emergency.ts";
import { toast } from "./toasts.ts";

const NAMES = ["to", "cc", "bcc", "subject", "connection"];

type Control = HTMLInputElement | HTMLSelectElement;

function controls(form: HTMLFormElement): Map<string, Control> {
  const found = new Map<string, Control>();
  for (const name of NAMES) {
    const control = form.elements.namedItem(name);
    if (control instanceof HTMLInputElement || control instanceof HTMLSelectElement) found.set(name, control);
  }
  return found;
}

function describe(state: SaveState): string {
  if (state.kind === "saved") return "Saved";
  if (state.kind === "saving") return "Saving …";
  if (state.kind === "failed") return `Not saved: ${state.reason}${state.retrying ? ", retrying" : ""}`;
  return "";
}

function foldCopies(form: HTMLFormElement): void {
  const button = form.querySelector<HTMLButtonElement>("#add-copies");
  const lines = [...form.querySelectorAll<HTMLElement>("[data-copies]")];
  if (!button || lines.some((line) => line.querySelector("input")?.value)) return;
  for (const line of lines) line.hidden = true;
  button.hidden = false;
  button.addEventListener("click", () => {
    for (const line of lines) line.hidden = false;
    button.hidden = true;
    lines[0]?.querySelector("input")?.focus();
  });
}

function start(form: HTMLFormElement): void {
  const draft = form.dataset["draft"] ?? "";
  const place = form.querySelector<HTMLElement>("#editor");
  const textarea = form.querySelector<HTMLTextAreaElement>("textarea[name=text]");
  const status = form.querySelector<HTMLElement>("#saved");
  if (!place || !textarea || !status) return;

  const html = document.createElement("input");
  html.type = "hidden";
  html.name = "html";
  form.append(html);
  textarea.remove();
  place.hidden = false;

  const fields = controls(form);
  const editor = startEditor(place, form, place.dataset["html"] ?? "", () => autosave.touch());
  const read = (): Fields => {
    const values: Fields = { html: editor.html() };
    for (const [name, control] of fields) values[name] = control.value;
    return values;
  };
  const key = draftKey(document.body.dataset["member"] ?? "", draft);
  const autosave = new Autosave({
    url: `/emails/drafts/${draft}`,
    token: form.querySelector<HTMLInputElement>("input[name=csrfmiddlewaretoken]")?.value ?? "",
    read,
    keep: (values) => keepCopy(localStorage, key, values),
    drop: () => dropCopy(localStorage, key),
    show: (state) => {
      status.dataset["state"] = state.kind;
      const text = describe(state);
      if (status.textContent !== text) status.textContent = text;
      if (state.kind === "saved") document.querySelector("#gates")?.dispatchEvent(new CustomEvent("live"));
    },
  });

  const copy = readCopy(localStorage, key)?.fields;
  if (copy && sameFields(copy, read())) dropCopy(localStorage, key);
  else if (copy) {
    for (const [name, control] of fields) control.value = copy[name] ?? control.value;
    editor.replace(copy["html"] ?? editor.html());
    autosave.touch();
    toast("Restored what had not been saved.");
  }
  foldCopies(form);

  form.addEventListener("input", (event) => {
    if (event.target instanceof HTMLElement && event.target.matches("[name]")) autosave.touch();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      form.requestSubmit(form.querySelector<HTMLButtonElement>("button[value=send]"));
    } else if (event.target instanceof HTMLInputElement) {
      // Enter in a line of the head must never send.
      event.preventDefault();
    }
  });
  form.addEventListener("submit", (event) => {
    html.value = editor.html();
    autosave.stop();
    if (event.submitter?.hasAttribute("data-discard")) dropCopy(localStorage, key);
  });
  addEventListener("pagehide", () => autosave.flush());
  addEventListener("beforeunload", () => autosave.flush());
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) autosave.flush();
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) autosave.resume();
  });
}

const form = document.querySelector<HTMLFormElement>("form#compose");
if (form) start(form);
