// Plain forms: a button that was pressed says that it works, and is not pressed twice.
import { freshToken } from "./csrf.ts";
import { forgetDrafts } from "./emergency.ts";
import { say } from "./said.ts";

function busy(event: SubmitEvent): void {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || event.defaultPrevented) return;
  if (form.dataset["busy"] === "true") {
    event.preventDefault();
    return;
  }
  freshToken(form);
  // A file comes down and the page stays: its button can be pressed again.
  if (form.hasAttribute("data-download")) return;
  form.dataset["busy"] = "true";
  if (event.submitter instanceof HTMLButtonElement) waits(event.submitter);
  // Drafts kept in this browser belong to the person who signs out.
  if (form.hasAttribute("data-sign-out")) forgetDrafts(localStorage);
}

// What takes seconds says what it waits for (`data-busy-words`), in a place that is read aloud.
function waits(button: HTMLButtonElement): void {
  button.setAttribute("aria-busy", "true");
  const words = button.dataset["busyWords"];
  if (words === undefined) return;
  button.dataset["restWords"] = button.textContent;
  button.textContent = words;
  say(words);
}

// Enter at a box or in an hour presses the form's first button; where that would send, it has to be pressed itself.
function deliberate(event: KeyboardEvent): void {
  if (event.key !== "Enter" || !(event.target instanceof HTMLInputElement)) return;
  if (event.target.form?.hasAttribute("data-deliberate")) event.preventDefault();
}

function rest(): void {
  for (const form of document.querySelectorAll<HTMLFormElement>('form[data-busy="true"]')) delete form.dataset["busy"];
  for (const button of document.querySelectorAll<HTMLButtonElement>("button[aria-busy]")) {
    button.removeAttribute("aria-busy");
    const words = button.dataset["restWords"];
    if (words !== undefined) button.textContent = words;
  }
}

export function startForms(): void {
  document.addEventListener("submit", busy);
  document.addEventListener("keydown", deliberate);
  // A page that comes back from the browser's memory is not busy any more.
  addEventListener("pageshow", rest);
}
