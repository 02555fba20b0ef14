// The buttons below the email: Send, which waits for what is on its way and leads to the first reason where it cannot,
// Preview, “Why can't I send?” and Discard.
import type { Autosave } from "./autosave.ts";
import type { Preview } from "./preview.ts";
import type { Reasons } from "./reasons.ts";
import type { Uploads } from "./uploads.ts";

// Send waits this long for the answer of a save that is under way, and for the gates.
const PATIENCE = 3_000;

export interface SendingParts {
  autosave: Autosave;
  uploads: Uploads;
  preview: Preview;
  reasons: Reasons;
  /** The form is about to go: write into it what stands on the page. */
  prepare: () => void;
  discard: () => void;
  /** Set here: to be called when the files' rows say something else. */
  told: () => void;
}

export function find<T extends HTMLElement>(selector: string, kind: new () => T): T {
  const found = document.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`the page has no ${selector}`);
  return found;
}

function gates(): HTMLElement | null {
  return document.querySelector<HTMLElement>("#gates");
}

/** Ask the server again what stands in the way. */
export function refreshGates(): void {
  gates()?.dispatchEvent(new CustomEvent("live"));
}

/** Whether nothing that the server knows of stands in the way. */
function isOpen(): boolean {
  return gates()?.dataset["ready"] === "true";
}

function ofGates(event: Event): boolean {
  return event.target instanceof Element && event.target.id === "gates";
}

/** The gates as the server sees them now: the answer to a question that begins here, not to one under way. */
function freshGates(): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(finish, PATIENCE);
    let asked = false;
    function began(event: Event): void {
      asked ||= ofGates(event);
    }
    function swapped(event: Event): void {
      if (ofGates(event) && (asked || isOpen())) finish();
    }
    function finish(): void {
      clearTimeout(timer);
      document.removeEventListener("htmx:before:request", began);
      document.removeEventListener("htmx:after:swap", swapped);
      done();
    }
    document.addEventListener("htmx:before:request", began);
    document.addEventListener("htmx:after:swap", swapped);
    refreshGates();
  });
}

function refuse(text: string): void {
  const note = document.querySelector<HTMLElement>("#refused");
  const line = note?.querySelector("[data-reason]");
  if (!note || !line) return;
  note.hidden = false;
  line.textContent = text;
  note.scrollIntoView({ block: "nearest" });
}

/** Lead to what is to be done first. */
function showFirstReason(): void {
  const first = gates()?.querySelector<HTMLElement>(".is-shut") ?? gates();
  first?.scrollIntoView({ block: "center" });
  first?.focus();
}

/** “Correct the recipients” and the like: to the field that is meant. */
function startLeads(): void {
  document.addEventListener("click", (event) => {
    const lead = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-here]") : null;
    const name = lead?.dataset["here"];
    if (!name) return;
    event.preventDefault();
    if (name === "gates") showFirstReason();
    else document.getElementById(name === "attach" ? "attach-button" : name)?.focus();
  });
}

export function startSending(form: HTMLFormElement, parts: SendingParts): void {
  const { autosave, uploads, preview, reasons } = parts;
  const why = document.querySelector<HTMLElement>("#why");
  const showWhy = (): void => {
    const open = isOpen() && !reasons.any;
    if (why) why.hidden = open;
    // What was said at the last press of Send is settled.
    const note = document.querySelector<HTMLElement>("#refused");
    if (note && open && uploads.pending === 0) note.hidden = true;
  };
  parts.told = showWhy;
  const leadToReason = (): void => (reasons.any ? reasons.lead() : showFirstReason());
  document.addEventListener("htmx:after:swap", showWhy);
  showWhy();
  startLeads();
  if (form.hasAttribute("data-refused")) showFirstReason();

  // Whether everything Send depends on was waited for already.
  let waited = false;
  const again = (submitter: HTMLElement | null): void => {
    waited = true;
    if (form.dataset["busy"] !== "true") form.requestSubmit(submitter);
    waited = false;
  };
  const waitAndSend = async (submitter: HTMLElement | null): Promise<void> => {
    if (uploads.pending > 0) {
      refuse(`It is sent when ${uploads.pending === 1 ? "the file is" : "the files are"} uploaded …`);
      await uploads.settled();
    }
    const [failed] = uploads.failures;
    if (failed) {
      refuse(`Not sent. “${failed.name}” is not attached: ${failed.again ? "try it again, or remove it" : "remove it to send without it"}.`);
      leadToReason();
      return;
    }
    const note = document.querySelector<HTMLElement>("#refused");
    if (note) note.hidden = true;
    if (!isOpen() && (await autosave.sync(PATIENCE))) {
      await freshGates();
      if (!isOpen()) {
        refuse("Not sent. Nothing is lost. What stands in the way is listed beside the email.");
        showFirstReason();
        return;
      }
    } else if (!navigator.onLine) {
      refuse("Not sent: there is no connection. The text is kept here; press Send again when there is one.");
      return;
    }
    await autosave.settle(PATIENCE);
    // A form that still tells of one press takes no other.
    setTimeout(() => again(submitter));
  };

  form.addEventListener("submit", (event) => {
    const { submitter } = event;
    const action = submitter?.getAttribute("value");
    if (action === "preview" || action === "why") {
      event.preventDefault();
      if (action === "preview") void preview.open(autosave.sync(PATIENCE));
      else void autosave.sync(PATIENCE).then(freshGates).then(leadToReason);
      return;
    }
    if (action === "unthread" || action === "template") {
      parts.prepare();
      return;
    }
    const discards = submitter?.hasAttribute("data-discard") === true;
    const clear = uploads.pending === 0 && !reasons.any && isOpen() && !autosave.underWay && navigator.onLine;
    if (!waited && !discards && !clear) {
      event.preventDefault();
      void waitAndSend(submitter);
      return;
    }
    parts.prepare();
    if (!discards) return;
    uploads.abort();
    parts.discard();
  });
}
