// Plain forms: a button that was pressed says that it works, and is not pressed twice.
import { freshToken } from "./csrf.ts";
import { forgetDrafts } from "./emergency.ts";

function busy(event: SubmitEvent): void {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || event.defaultPrevented) return;
  if (form.dataset["busy"] === "true") {
    event.preventDefault();
    return;
  }
  form.dataset["busy"] = "true";
  freshToken(form);
  if (event.submitter instanceof HTMLButtonElement) event.submitter.setAttribute("aria-busy", "true");
  // Drafts kept in this browser belong to the person who signs out.
  if (form.hasAttribute("data-sign-out")) forgetDrafts(localStorage);
}

function rest(): void {
  for (const form of document.querySelectorAll<HTMLFormElement>('form[data-busy="true"]')) delete form.dataset["busy"];
  for (const button of document.querySelectorAll("button[aria-busy]")) button.removeAttribute("aria-busy");
}

export function startForms(): void {
  document.addEventListener("submit", busy);
  // A page that comes back from the browser's memory is not busy any more.
  addEventListener("pageshow", rest);
}
