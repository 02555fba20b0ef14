// The mail's picture on an email's page. Its frame runs no scripts, but lets this page look in: badges at its links
// stay fresh without loading it again, so that nobody loses their place, and what is pointed at on one side is marked
// on the other.

const LINK = "data-truesend-link";
const CLICKS = "data-truesend-clicks";
const MARK = "data-truesend-mark";

type State = "loading" | "shown" | "failed";

function show(box: HTMLElement, state: State): void {
  box.dataset["state"] = state;
  const wait = box.querySelector<HTMLElement>("[data-wait]");
  const failed = box.querySelector<HTMLElement>("[data-failed]");
  if (wait) wait.hidden = state !== "loading";
  if (failed) failed.hidden = state !== "failed";
}

/** The mail's document once it is there; null while it comes, and when something else came in its place. */
function mailIn(frame: HTMLIFrameElement): Document | null {
  const page = frame.contentDocument;
  return page?.readyState !== "loading" && page?.querySelector('meta[name="truesend-mail"]') ? page : null;
}

function linksIn(page: Document, number: string): Element[] {
  return [...page.querySelectorAll(`[${LINK}="${number}"]`)];
}

/** Write the numbers of the list beside the frame into it. */
function writeBadges(page: Document): void {
  for (const row of document.querySelectorAll<HTMLElement>("#email-links [data-clicks]")) {
    const { link = "", clicks = "0" } = row.dataset;
    for (const one of linksIn(page, link)) {
      if (clicks === "0") one.removeAttribute(CLICKS);
      else if (one.getAttribute(CLICKS) !== clicks) one.setAttribute(CLICKS, clicks);
    }
  }
}

/** Mark a link in the mail, in the list and on the timeline; null marks nothing. */
function mark(page: Document | null, number: string | null): void {
  if (page) {
    for (const one of page.querySelectorAll(`[${MARK}]`)) one.removeAttribute(MARK);
    if (number !== null) for (const one of linksIn(page, number)) one.setAttribute(MARK, "");
  }
  for (const row of document.querySelectorAll<HTMLElement>("[data-link]")) {
    row.classList.toggle("is-marked", row.dataset["link"] === number);
  }
}

function linkAt(event: Event, selector: string, attribute: string): string | null {
  // Elements of the frame are of another realm, so that instanceof knows none of them.
  const target = event.target as Element | null;
  return target?.closest?.(selector)?.getAttribute(attribute) ?? null;
}

/** Whether a pointer came here by itself: what moves under one that rests was scrolled there. */
function hasMoved(event: Event): boolean {
  if (!(event instanceof MouseEvent)) return true;
  const place = `${event.screenX} ${event.screenY}`;
  const moved = place !== lastPlace;
  lastPlace = place;
  return moved;
}

let lastPlace = "";

function watchPointers(frame: HTMLIFrameElement): void {
  const over = (event: Event): void => {
    if (hasMoved(event)) mark(mailIn(frame), linkAt(event, "[data-link]", "data-link"));
  };
  document.addEventListener("pointerover", over);
  document.addEventListener("focusin", over);
  document.addEventListener("click", (event) => {
    const number = linkAt(event, "[data-show-link]", "data-show-link");
    const page = mailIn(frame);
    if (number === null || !page) return;
    lastPlace = `${event.screenX} ${event.screenY}`;
    mark(page, number);
    linksIn(page, number)[0]?.scrollIntoView({ block: "center", inline: "nearest" });
  });
}

/** “Show older” goes when there is nothing older: then the keyboard goes on at the first entry it brought. */
function keepFocus(): void {
  let shown = 0;
  document.addEventListener("click", (event) => {
    const url = (event.target as Element | null)?.closest?.("#older")?.getAttribute("hx-get");
    if (!url) return;
    shown = entriesOf().length;
    // A refresh that comes meanwhile asks for as much.
    document.querySelector("#timeline")?.setAttribute("hx-get", url);
  });
  document.addEventListener("htmx:after:swap", () => {
    const first = entriesOf()[shown];
    if (shown === 0 || !first) return;
    shown = 0;
    if (document.querySelector("#older")) return;
    first.tabIndex = -1;
    first.focus();
  });
}

function entriesOf(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>("#timeline .timeline > li")];
}

export function startMail(): void {
  const box = document.querySelector<HTMLElement>("[data-mail]");
  const frame = box?.querySelector<HTMLIFrameElement>("iframe");
  if (!box || !frame) return;

  const arrived = (): void => {
    const page = mailIn(frame);
    show(box, page ? "shown" : "failed");
    if (!page) return;
    writeBadges(page);
    page.addEventListener("pointerover", (event) => mark(page, linkAt(event, `[${LINK}]`, LINK)));
    page.documentElement.addEventListener("pointerleave", () => mark(page, null));
  };
  frame.addEventListener("load", arrived);
  if (mailIn(frame)) arrived();
  else show(box, "loading");
  box.querySelector("[data-failed] button")?.addEventListener("click", () => {
    show(box, "loading");
    frame.src = frame.getAttribute("src") ?? "";
  });
  document.addEventListener("htmx:after:swap", () => {
    const page = mailIn(frame);
    if (page) writeBadges(page);
  });
  watchPointers(frame);
  keepFocus();
}
