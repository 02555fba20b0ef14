// Choosing the hour at which an email leaves: the browser's zone, and hours that are one press away.
import { picks, writtenHour } from "./hours.ts";
import { serverNow } from "./times.ts";

function offer(place: HTMLElement, input: HTMLInputElement): void {
  place.replaceChildren(
    ...picks(serverNow()).map(({ label, value }) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "btn";
      button.textContent = label;
      button.addEventListener("click", () => {
        input.value = value;
        input.dispatchEvent(new Event("change", { bubbles: true }));
        input.focus();
      });
      return button;
    }),
  );
  place.hidden = false;
}

/** The hour on the recipients' clocks: told anew by the server, which knows them. */
function ask(part: HTMLElement): void {
  part.querySelector(".their-hours")?.dispatchEvent(new CustomEvent("hour"));
}

interface Parts {
  input: HTMLInputElement;
  zone: HTMLInputElement;
  shown: HTMLElement;
}

function partsOf(part: HTMLElement): Parts | null {
  const input = part.querySelector<HTMLInputElement>("input[name=at]");
  const zone = part.querySelector<HTMLInputElement>("input[name=zone]");
  const shown = part.querySelector<HTMLElement>("[data-zone]");
  return input && zone && shown ? { input, zone, shown } : null;
}

/** The browser's zone, and the hours one press away: again after each morph, which puts the server's in their place. */
function dress(part: HTMLElement, { input, zone, shown }: Parts): void {
  if (!part.hasAttribute("data-browser-zone")) return;
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (own) {
    zone.value = own;
    shown.textContent = own;
  }
  const place = part.querySelector<HTMLElement>("[data-picks]");
  if (place && (place.hidden || place.childElementCount === 0)) offer(place, input);
}

// Not written into the page: a morph would take it out, and the hour somebody chose with it.
const started = new WeakSet<HTMLElement>();

function start(part: HTMLElement, { input }: Parts): void {
  started.add(part);
  input.addEventListener("change", () => ask(part));
  const box = part.closest("details");
  box?.addEventListener("toggle", () => {
    if (box.open) ask(part);
  });
  const at = Date.parse(part.dataset["moment"] ?? "");
  if (part.hasAttribute("data-browser-zone") && !Number.isNaN(at)) input.value = writtenHour(new Date(at));
}

/** A live refresh tells of the hour that is stored: beside another one, which somebody has chosen, it is asked anew. */
function askWhereItTellsOfAnother(part: HTMLElement, { input }: Parts): void {
  const told = part.querySelector<HTMLElement>(".their-hours")?.dataset["at"];
  if (told !== undefined && told !== input.value && part.closest("details")?.open) ask(part);
}

function startAll(): void {
  for (const part of document.querySelectorAll<HTMLElement>("[data-later]")) {
    const parts = partsOf(part);
    if (!parts) continue;
    dress(part, parts);
    if (started.has(part)) askWhereItTellsOfAnother(part, parts);
    else start(part, parts);
  }
}

export function startLater(): void {
  startAll();
  document.addEventListener("htmx:after:swap", startAll);
}
