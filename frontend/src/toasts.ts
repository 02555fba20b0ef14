// Short messages at the lower right. The server writes some into the page; scripts add others.

type Kind = "ok" | "warn" | "bad";

const STAY = 8_000;

function close(item: HTMLElement): void {
  item.remove();
}

function prepare(item: HTMLElement): void {
  // Goes when its own time is over.
  if (item.dataset["kind"] === "undo") return;
  item.querySelector("button")?.addEventListener("click", () => close(item));
  // A failure stays until somebody closes it; a pointer or the keyboard on a message keeps it.
  if (item.dataset["kind"] === "bad") return;
  let timer = setTimeout(() => close(item), STAY);
  const hold = (): void => clearTimeout(timer);
  const release = (): void => {
    hold();
    timer = setTimeout(() => close(item), STAY);
  };
  item.addEventListener("pointerenter", hold);
  item.addEventListener("focusin", hold);
  item.addEventListener("pointerleave", release);
  item.addEventListener("focusout", release);
}

export function toast(text: string, kind: Kind = "ok"): void {
  const place = document.querySelector<HTMLElement>("#toasts");
  const template = document.querySelector<HTMLTemplateElement>("#toast-template");
  const copy = template?.content.querySelector(`[data-kind="${kind}"]`)?.cloneNode(true);
  if (!place || !(copy instanceof HTMLElement)) return;
  const paragraph = copy.querySelector("p");
  if (paragraph) paragraph.textContent = text;
  prepare(copy);
  place.append(copy);
}

export function startToasts(): void {
  for (const item of document.querySelectorAll<HTMLElement>("#toasts .toast-item")) prepare(item);
}
