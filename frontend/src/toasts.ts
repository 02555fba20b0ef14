// Short messages at the lower right. The server writes some into the page; scripts add others.

type Kind = "ok" | "warn" | "bad";

/** What somebody did with an email, or what was asked for and is done, as GET /notices tells it. */
export interface Notice {
  key: string;
  kind: "open" | "click" | "reply" | "bounce" | "done";
  text: string;
  url: string;
  ids: string[];
}

const STAY = 8_000;
// Has a name and a subject to read, and a link to press.
const STAY_NEWS = 12_000;

function close(item: HTMLElement): void {
  item.remove();
}

function prepare(item: HTMLElement): void {
  // Goes when its own time is over.
  if (item.dataset["kind"] === "undo") return;
  item.querySelector("button")?.addEventListener("click", () => close(item));
  // A failure stays until somebody closes it; a pointer or the keyboard on a message keeps it.
  if (item.dataset["kind"] === "bad") return;
  const stay = item.dataset["notice"] ? STAY_NEWS : STAY;
  let timer = setTimeout(() => close(item), stay);
  const hold = (): void => clearTimeout(timer);
  const release = (): void => {
    hold();
    timer = setTimeout(() => close(item), stay);
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

function noticeItem(key: string): HTMLElement | null {
  return document.querySelector<HTMLElement>(`#toasts [data-notice="${CSS.escape(key)}"]`);
}

export function noticeIsShown(key: string): boolean {
  return noticeItem(key) !== null;
}

/** Show a notice, or its new words where it is shown already. */
export function showNotice(notice: Notice): void {
  const template = document.querySelector<HTMLTemplateElement>("#toast-template");
  const shown = noticeItem(notice.key);
  const item = shown ?? template?.content.querySelector(`[data-kind="${notice.kind}"]`)?.cloneNode(true);
  if (!(item instanceof HTMLElement)) return;
  const link = item.querySelector("a");
  if (link) {
    if (link.textContent !== notice.text) link.textContent = notice.text;
    link.href = notice.url;
  }
  if (shown) return;
  item.dataset["notice"] = notice.key;
  prepare(item);
  document.querySelector("#toasts")?.append(item);
}

export function dropNotice(key: string): void {
  noticeItem(key)?.remove();
}

export function startToasts(): void {
  for (const item of document.querySelectorAll<HTMLElement>("#toasts .toast-item")) prepare(item);
}
