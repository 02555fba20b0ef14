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

// Not written into the page: a morph would take it out, and the hour somebody chose with it.
const started = new WeakSet<HTMLElement>();

function start(part: HTMLElement): void {
  const input = part.querySelector<HTMLInputElement>("input[name=at]");
  const zone = part.querySelector<HTMLInputElement>("input[name=zone]");
  const shown = part.querySelector<HTMLElement>("[data-zone]");
  const place = part.querySelector<HTMLElement>("[data-picks]");
  if (!input || !zone || !shown || started.has(part)) return;
  started.add(part);
  input.addEventListener("change", () => ask(part));
  const box = part.closest("details");
  box?.addEventListener("toggle", () => {
    if (box.open) ask(part);
  });
  if (part.hasAttribute("data-browser-zone")) {
    const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (own) {
      zone.value = own;
      shown.textContent = own;
      const at = Date.parse(part.dataset["moment"] ?? "");
      if (!Number.isNaN(at)) input.value = writtenHour(new Date(at));
    }
    if (place) offer(place, input);
  }
}

function startAll(): void {
  for (const part of document.querySelectorAll<HTMLElement>("[data-later]")) start(part);
}

export function startLater(): void {
  startAll();
  document.addEventListener("htmx:after:swap", startAll);
}
