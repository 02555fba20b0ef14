// The compose page: fields, editor, saving while writing, and the gates panel.
import { Autosave, type SaveState } from "./autosave.ts";
import { Copies } from "./copies.ts";
import { csrfToken, freshToken } from "./csrf.ts";
import { startEditor, type MailEditor } from "./editor.ts";
import {
  dropCopy,
  draftKey,
  keepCopy,
  markOf,
  newDraftId,
  newestUnsaved,
  readCopy,
  sameFields,
  type Fields,
} from "./emergency.ts";
import { pictureBlock, startPictures } from "./pictures.ts";
import { Preview } from "./preview.ts";
import { Recipients } from "./recipients.ts";
import { Reasons } from "./reasons.ts";
import { recover } from "./recover.ts";
import { find, refreshGates, startSending, type SendingParts } from "./sending.ts";
import { startSenders } from "./senders.ts";
import { Templates } from "./templates.ts";
import { toast } from "./toasts.ts";
import { Uploads } from "./uploads.ts";

// A list is taken once what stands on the page is saved; so long it is waited for.
const PATIENCE = 3_000;
const NAMES = ["subject", "connection", "track", "separate_copies"];

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

function valueOf(control: Control): string {
  if (control instanceof HTMLInputElement && control.type === "checkbox") return control.checked ? "on" : "";
  return control.value;
}

function setValue(control: Control, value: string): void {
  if (control instanceof HTMLInputElement && control.type === "checkbox") control.checked = value !== "";
  else control.value = value;
}

function foldCopies(form: HTMLFormElement, people: Recipients): void {
  const button = form.querySelector<HTMLButtonElement>("#add-copies");
  const lines = [...form.querySelectorAll<HTMLElement>("[data-copies]")];
  if (!button || ["cc", "bcc"].some((name) => people.field(name)?.isEmpty === false)) return;
  for (const line of lines) line.hidden = true;
  button.hidden = false;
  button.addEventListener("click", () => {
    for (const line of lines) line.hidden = false;
    button.hidden = true;
    people.field("cc")?.input.focus();
  });
}

/** Where an email begins: offer the draft whose words never reached the server, if there is one. */
function offerUnsaved(member: string): void {
  const line = document.querySelector<HTMLElement>("#go-on");
  const link = line?.querySelector<HTMLAnchorElement>("a[data-newest]");
  const kept = line?.querySelector<HTMLElement>("[data-kept]");
  const unsaved = newestUnsaved(localStorage, member);
  if (!line || !link || !kept || !unsaved) return;
  const url = `/emails/new?draft=${unsaved}`;
  if (!line.hidden && link.getAttribute("href") === url) return;
  const { subject = "", to = "" } = readCopy(localStorage, draftKey(member, unsaved))?.fields ?? {};
  const label = subject.trim() || to.trim();
  link.href = url;
  link.textContent = label ? `“${label.length > 60 ? `${label.slice(0, 59)}…` : label}”` : "your draft without a subject";
  kept.textContent = ", kept in this browser";
  line.hidden = false;
}

/** From the first change on the address is the draft's own, so that reload, Back and a bookmark show it. */
function takeAddress(draft: string): void {
  if (new URLSearchParams(location.search).get("draft") === draft) return;
  history.replaceState(history.state, "", `/emails/new?draft=${draft}`);
}

/** A subject is one line. The browser takes only \r and \n out of what is pasted; the rest is seen by nobody. */
function keepOnOneLine(input: HTMLInputElement): void {
  input.addEventListener("input", () => {
    const line = input.value.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, " ");
    if (line === input.value) return;
    const caret = input.selectionStart;
    input.value = line;
    input.setSelectionRange(caret, caret);
  });
}

/** Another account has another signature. */
function watchSignature(account: HTMLSelectElement, editor: MailEditor): void {
  const chosen = (): string => account.selectedOptions[0]?.dataset["signature"] ?? "";
  let before = chosen();
  account.addEventListener("change", () => {
    editor.sign(before, chosen());
    before = chosen();
  });
}

function hidden(form: HTMLFormElement, name: string): HTMLInputElement {
  const found = form.querySelector<HTMLInputElement>(`input[type=hidden][name=${name}]`);
  if (found) return found;
  const input = document.createElement("input");
  input.type = "hidden";
  input.name = name;
  form.append(input);
  return input;
}

/** A merge field that is pressed goes where one wrote last: into the subject or the text. */
function startFields(form: HTMLFormElement, insert: (text: string) => void): void {
  const subject = form.querySelector<HTMLInputElement>("#subject");
  let inSubject = false;
  form.addEventListener("focusin", (event) => {
    if (event.target === subject) inSubject = true;
    else if (event.target instanceof Element && event.target.closest(".editor")) inSubject = false;
  });
  document.addEventListener("truesend:field", (event) => {
    const text = String((event as CustomEvent).detail);
    if (!inSubject || !subject) {
      insert(text);
      return;
    }
    subject.focus();
    subject.setRangeText(text, subject.selectionStart ?? 0, subject.selectionEnd ?? 0, "end");
    subject.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

function start(form: HTMLFormElement): void {
  const draft = form.dataset["draft"] ?? "";
  const member = document.body.dataset["member"] ?? "";
  const place = form.querySelector<HTMLElement>("#editor");
  const textarea = form.querySelector<HTMLTextAreaElement>("textarea[name=text]");
  const status = form.querySelector<HTMLElement>("#saved");
  if (!place || !textarea || !status) return;

  const html = hidden(form, "html");
  const revision = hidden(form, "revision");
  textarea.remove();
  place.hidden = false;

  const fields = controls(form);
  const changed = (): void => {
    takeAddress(draft);
    autosave.touch();
  };
  const editor = startEditor(place, form, place.dataset["html"] ?? "", changed, {
    slash: () => templates.open(true),
    blocks: [pictureBlock(draft)],
  });
  const people = new Recipients(form, changed);
  const account = fields.get("connection");
  if (account instanceof HTMLSelectElement) {
    watchSignature(account, editor);
    startSenders(account);
  }
  const line = fields.get("subject");
  const templates = new Templates(find("#templates", HTMLDialogElement), editor, line instanceof HTMLInputElement ? line : null);
  form.querySelector("[data-templates]")?.addEventListener("click", () => templates.open());
  const read = (): Fields => {
    const values: Fields = { html: editor.html() };
    for (const [name, control] of fields) values[name] = valueOf(control);
    for (const field of people.fields) values[field.name] = field.value();
    return values;
  };
  const shared = draftKey(member, draft);
  let key = shared;
  let copies: Copies | undefined;
  const autosave = new Autosave({
    url: `/emails/drafts/${draft}`,
    token: csrfToken,
    revision: Number(form.dataset["revision"]) || 0,
    read,
    keep: (values) => keepCopy(localStorage, key, values, key === shared ? autosave.base : 0, { marks: autosave.marks }),
    parted: () => {
      // From here on this text is a draft of its own; the other tab keeps its copy under the shared name.
      const own = newDraftId();
      const kept = readCopy(localStorage, shared);
      if (kept && sameFields(kept.fields, read())) dropCopy(localStorage, shared);
      key = draftKey(member, own);
      hidden(form, "kept_as").value = own;
    },
    drop: () => dropCopy(localStorage, key),
    show: (state) => {
      status.dataset["state"] = state.kind;
      const text = describe(state);
      if (status.textContent !== text) status.textContent = text;
      if (state.kind !== "saved") return;
      refreshGates();
      copies?.refresh();
    },
  });

  const copy = readCopy(localStorage, shared);
  autosave.mayHave(read());
  if (copy && sameFields(copy.fields, read())) dropCopy(localStorage, shared);
  else if (
    copy &&
    form.dataset["stored"] === "true" &&
    copy.revision !== autosave.base &&
    !copy.marks.includes(markOf(read()))
  ) {
    // Changed from elsewhere since: neither text may take the other's place.
    dropCopy(localStorage, shared);
    const own = newDraftId();
    keepCopy(localStorage, draftKey(member, own), copy.fields, 0, { at: 0 });
    recover(member, own).catch(() => undefined);
  } else if (copy) {
    for (const [name, control] of fields) setValue(control, copy.fields[name] ?? valueOf(control));
    for (const field of people.fields) field.read(copy.fields[field.name] ?? field.value());
    editor.replace(copy.fields["html"] ?? editor.html());
    // The request of the page before this one may still be on its way.
    autosave.mayHave(copy.fields);
    autosave.touch(0);
    toast("Restored what had not been saved.");
  }
  foldCopies(form, people);
  if (form.dataset["stored"] !== "true" && !new URLSearchParams(location.search).has("draft")) offerUnsaved(member);
  const subject = fields.get("subject");
  if (subject instanceof HTMLInputElement) keepOnOneLine(subject);

  form.addEventListener("input", (event) => {
    if (event.target instanceof HTMLElement && event.target.matches("[name]")) changed();
  });
  form.addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      // Before the editor, to which these keys are a line break.
      event.stopPropagation();
      for (const field of people.fields) field.commit();
      form.requestSubmit(form.querySelector<HTMLButtonElement>("button[value=send]"));
    },
    true,
  );
  form.addEventListener("keydown", (event) => {
    // Enter in a line of the head must never send.
    if (event.key === "Enter" && event.target instanceof HTMLInputElement) event.preventDefault();
  });
  const reasons = new Reasons(find("#file-reasons", HTMLElement), () => parts.uploads);
  const told = (): void => {
    takeAddress(draft);
    reasons.show();
    parts.told();
  };
  const parts: SendingParts = {
    autosave,
    uploads: new Uploads(form, `/emails/drafts/${draft}/attachments`, refreshGates, told),
    reasons,
    told: () => undefined,
    preview: new Preview(find("#preview", HTMLDialogElement), `/emails/drafts/${draft}/preview`),
    prepare: () => {
      html.value = editor.html();
      revision.value = String(autosave.parted ? autosave.base : (autosave.revision ?? ""));
      freshToken(form);
      autosave.stop();
      autosave.mayHave(read());
    },
    discard: () => dropCopy(localStorage, key),
  };
  copies = new Copies(form, `/emails/drafts/${draft}/people`, () => autosave.sync(PATIENCE), () => {
    takeAddress(draft);
    refreshGates();
  });
  startFields(form, (text) => editor.insertText(text));
  startSending(form, parts);
  startPictures(editor.editor, `/emails/drafts/${draft}/attachments`, parts.uploads, () => {
    changed();
    parts.told();
  });
  const leave = (): void => {
    autosave.flush();
    // Nobody writes on it any more, so the next page may make a draft of it at once.
    if (autosave.parted && readCopy(localStorage, key)) keepCopy(localStorage, key, read(), 0, { at: 0 });
  };
  addEventListener("pagehide", leave);
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
