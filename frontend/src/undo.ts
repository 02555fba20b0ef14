// “Undo” after Send: counts down, goes away when its time is over, and Ctrl+Z presses it.
import { serverNow } from "./times.ts";

const EVERY = 250;

function isWriting(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));
}

function tick(form: HTMLFormElement): boolean {
  const left = Math.ceil((Date.parse(form.dataset["undo"] ?? "") - serverNow()) / 1_000);
  if (!(left > 0)) {
    (form.closest(".toast-item") ?? form).remove();
    return false;
  }
  const shown = form.querySelector("[data-undo-left]");
  if (shown && shown.textContent !== `${left} s`) shown.textContent = `${left} s`;
  return true;
}

function start(form: HTMLFormElement): void {
  if (form.dataset["counting"]) return;
  form.dataset["counting"] = "true";
  const timer = setInterval(() => {
    if (!form.isConnected || !tick(form)) clearInterval(timer);
  }, EVERY);
  tick(form);
}

function startAll(): void {
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-undo]")) start(form);
}

export function startUndo(): void {
  startAll();
  document.addEventListener("htmx:after:swap", startAll);
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "z" || event.shiftKey || !(event.ctrlKey || event.metaKey) || isWriting(event.target)) return;
    const form = document.querySelector<HTMLFormElement>("form[data-undo]");
    if (!form) return;
    event.preventDefault();
    form.requestSubmit();
  });
}
