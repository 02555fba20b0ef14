// Writes every <time data-time="…"> in the reader's zone and keeps the relative ones fresh.
import { writeFull, writeTime, type TimeStyle } from "./moments.ts";

const EVERY = 10_000;
// The sandbox can move Truesend's clock, so distances are counted from the server's time, not the browser's.
let skew = 0;

export function serverNow(): number {
  return Date.now() + skew;
}

/** Take over the server's time from an RFC 3339 text; anything else is ignored. */
export function setServerTime(text: string | null | undefined): void {
  const at = Date.parse(text ?? "");
  if (!Number.isNaN(at)) skew = at - Date.now();
}

function writeAll(): void {
  const now = serverNow();
  for (const element of document.querySelectorAll<HTMLTimeElement>("time[data-time]")) {
    const at = Date.parse(element.dateTime);
    if (Number.isNaN(at)) continue;
    const text = writeTime(at, element.dataset["time"] as TimeStyle, { now });
    if (element.textContent !== text) element.textContent = text;
    element.title = writeFull(at, { now });
  }
}

export function startTimes(): void {
  setServerTime(document.querySelector<HTMLMetaElement>('meta[name="now"]')?.content);
  writeAll();
  setInterval(writeAll, EVERY);
  document.addEventListener("htmx:after:swap", () => {
    setServerTime(document.querySelector<HTMLElement>("#health")?.dataset["now"]);
    writeAll();
  });
}
