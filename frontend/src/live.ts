// Live pages. An event of kind K becomes the DOM event `truesend:K` on <body>, and every element with
// data-live="… K …" fetches itself again by htmx (hx-trigger="live"); one with a data-live-id only where the event is
// about it. data-live-others="K" is for what holds such elements: it fetches itself for an id that none of them has.
// What a member may do is everywhere on a page: when that changes, the page is loaded anew (mine.ts).
// Events are hints: what is shown always comes from the server.
import { isAnothers } from "./csrf.ts";
import workerUrl from "./live.worker.ts?sharedworker&url";
import { startMine } from "./mine.ts";
import { KINDS, Stream, type StreamMessage } from "./stream.ts";
import { setServerTime } from "./times.ts";

const EVENTS = "/api/v1/events";
const GATHER = 100;
// Many open pages hear one event together; a little chance keeps them from asking in the same instant.
const SPREAD = 150;
const POLL = 5_000;
const RETRY = 5_000;
const TICK = 30_000;
// A stream that comes back sooner was never missed.
const GRACE = 2_000;
const CUT = "This page is not live right now. It tries again by itself.";
const FAILED = "Could not refresh. Trying again.";
// Where a page's own address leads now, and what is said of it.
const ELSEWHERE = {
  "/account/second-factor": {
    text: "An owner asks for a second factor, so this page no longer updates.",
    label: "Set it up",
  },
  "/login": { text: "You are signed out, so this page no longer updates.", label: "Sign in" },
  "/account": {
    text: "Somebody else is signed in in this browser now, so this page no longer updates and sends nothing.",
    label: "See who",
  },
} as const;
// Compose stays where it is: it goes on by itself once its writer is signed in again.
const KEPT = "What you write here is kept in this browser.";

const pending = new Set<Element>();
// Ids of what could not refresh: that something else could is no reason to take the note away.
const failing = new Set<string>();
let gathering: ReturnType<typeof setTimeout> | undefined;
let polling: ReturnType<typeof setInterval> | undefined;
let grace: ReturnType<typeof setTimeout> | undefined;
let isCut = false;
let elsewhere: keyof typeof ELSEWHERE | null = null;

// When what rests between two refreshes (data-live-rest, milliseconds) was last refreshed, by its id.
const refreshedAt = new Map<string, number>();
const resting = new Set<string>();

/** How long an element still rests: the first event is followed at once, a storm of them by one refresh at its end. */
function restsFor(element: Element): number {
  const rest = Number(element.getAttribute("data-live-rest"));
  return rest ? (refreshedAt.get(element.id) ?? -Infinity) + rest - performance.now() : 0;
}

function refreshLater(id: string, milliseconds: number): void {
  if (resting.has(id)) return;
  resting.add(id);
  setTimeout(() => {
    resting.delete(id);
    // The one on the page now may be another one.
    const element = document.getElementById(id);
    if (element) refresh([element]);
  }, milliseconds);
}

function flush(): void {
  gathering = undefined;
  // A page nobody looks at catches up when somebody does.
  if (document.hidden) return;
  if (isAnothers()) {
    pending.clear();
    lead("/account");
    return;
  }
  const elements = [...pending];
  pending.clear();
  for (const element of elements) {
    if (!element.isConnected) continue;
    const rests = restsFor(element);
    if (rests > 0) {
      refreshLater(element.id, rests);
      continue;
    }
    refreshedAt.set(element.id, performance.now());
    element.dispatchEvent(new CustomEvent("live"));
  }
}

function refresh(elements: Iterable<Element>): void {
  for (const element of elements) pending.add(element);
  if (pending.size > 0) gathering ??= setTimeout(flush, GATHER + Math.random() * SPREAD);
}

// What has an id comes with what holds it, unless it stands alone: was fetched by itself.
function refreshAll(): void {
  refresh(document.querySelectorAll("[data-live]:not([data-live-id]), [data-live-alone]"));
}

function hear(message: StreamMessage): void {
  if (message.type === "down") {
    polling ??= setInterval(refreshAll, POLL);
    document.body.dataset["liveState"] = "down";
    grace ??= setTimeout(() => {
      isCut = true;
      sayState();
    }, GRACE);
    return;
  }
  if (message.type === "open") {
    clearInterval(polling);
    polling = undefined;
    clearTimeout(grace);
    grace = undefined;
    isCut = false;
    sayState();
    document.body.dataset["liveState"] = "open";
    if (message.stale) refreshAll();
    return;
  }
  setServerTime(message.at);
  document.body.dispatchEvent(new CustomEvent(`truesend:${message.kind}`, { detail: { id: message.id } }));
}

function connect(member: string): () => void {
  const renderedAt = performance.timeOrigin;
  const url = new URL(EVENTS, location.href).href;
  if (typeof SharedWorker === "undefined") {
    const stream = new Stream(url, hear);
    return () => stream.close();
  }
  // Named by the member, so that a page of somebody who signed in later never hears the stream of the one before.
  const worker = new SharedWorker(workerUrl, { name: `truesend ${member}` });
  worker.addEventListener("error", () => hear({ type: "down" }));
  worker.port.addEventListener("message", (event: MessageEvent<StreamMessage>) => hear(event.data));
  worker.port.start();
  worker.port.postMessage({ type: "join", url, renderedAt });
  return () => worker.port.postMessage({ type: "leave", url, renderedAt });
}

/** Say what keeps this page from being fresh, the worst first, with what helps; nothing when it is. */
function sayState(): void {
  const note = document.querySelector<HTMLElement>("#live-note");
  if (!note) return;
  // What left the page meanwhile will never catch up.
  const isFailing = [...failing].some((id) => document.getElementById(id));
  const text = elsewhere ? [ELSEWHERE[elsewhere].text, ...(isWriting() ? [KEPT] : [])].join(" ") : isFailing ? FAILED : isCut ? CUT : "";
  if (note.dataset["said"] === text) return;
  note.dataset["said"] = text;
  // Whoever has pressed the button stays on the page.
  if (note.contains(document.activeElement)) document.querySelector<HTMLElement>("#content")?.focus();
  note.hidden = text === "";
  note.textContent = `${text} `;
  if (text !== "") note.append(elsewhere ? goThere(elsewhere) : tryNow());
}

function isWriting(): boolean {
  return document.querySelector("form#compose") !== null;
}

function lead(path: keyof typeof ELSEWHERE | null): void {
  elsewhere = path;
  sayState();
}

function goThere(path: keyof typeof ELSEWHERE): HTMLElement {
  const anchor = document.createElement("a");
  anchor.textContent = ELSEWHERE[path].label;
  anchor.href = path;
  if (isWriting()) {
    anchor.target = "_blank";
    anchor.textContent += " in another tab";
  } else if (path === "/login") anchor.href = `/login?next=${encodeURIComponent(location.pathname + location.search)}`;
  return anchor;
}

function tryNow(): HTMLElement {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "link-button";
  button.textContent = "Try now";
  button.addEventListener("click", refreshAll);
  return button;
}

interface HtmxDetail {
  ctx?: { sourceElement?: Element; response?: { raw?: Response } };
}

function failed(event: Event): void {
  const { ctx } = (event as CustomEvent<HtmxDetail>).detail;
  const source = ctx?.sourceElement;
  if (!source?.matches("[data-live]")) return;
  if (source.hasAttribute("data-live-id") && ctx?.response?.raw?.status === 404) {
    // It is gone: what holds it shows what is left.
    refresh(document.querySelectorAll("[data-live-others]"));
    return;
  }
  failing.add(source.id);
  sayState();
  setTimeout(() => refresh([source]), RETRY);
}

function watchRequests(): void {
  document.addEventListener("htmx:before:response", (event) => {
    const { ctx } = (event as CustomEvent<HtmxDetail>).detail;
    const raw = ctx?.response?.raw;
    if (!ctx?.sourceElement?.matches("[data-live]") || !raw?.redirected) return;
    // The session ended, or something is asked of it first: what would arrive now is another page.
    event.preventDefault();
    lead(new URL(raw.url).pathname === "/account/second-factor" ? "/account/second-factor" : "/login");
  });
  document.addEventListener("htmx:error", failed);
  document.addEventListener("htmx:response:error", failed);
  document.addEventListener("htmx:after:swap", (event) => {
    const { ctx } = (event as CustomEvent<HtmxDetail>).detail;
    if (!ctx?.sourceElement?.matches("[data-live]") || !ctx.response?.raw?.ok) return;
    failing.delete(ctx.sourceElement.id);
    // What could be fetched was fetched as one who may: signed in again, or done what was asked.
    lead(null);
  });
}

/** The elements that an event of this kind is about. */
function concernedBy(kind: string, event: Event): Element[] {
  const id = (event as CustomEvent<{ id: string | null }>).detail?.id ?? "";
  const own = [...document.querySelectorAll(`[data-live~="${kind}"]`)].filter((element) => {
    const about = element.getAttribute("data-live-id");
    return about === null || about === id;
  });
  const known = document.querySelector(`[data-live~="${kind}"][data-live-id="${CSS.escape(id)}"]`);
  return known ? own : [...own, ...document.querySelectorAll(`[data-live-others~="${kind}"]`)];
}

export function startLive(): void {
  const member = document.body.dataset["member"];
  if (!member) return;
  for (const kind of KINDS) {
    document.body.addEventListener(`truesend:${kind}`, (event) => refresh(concernedBy(kind, event)));
  }
  startMine(member, refreshAll);
  watchRequests();
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) refresh([]);
  });
  // Sentences such as "verified 40 s ago" come from the server and grow old.
  setInterval(() => refresh(document.querySelectorAll("[data-live-tick]")), TICK);
  let leave = connect(member);
  addEventListener("pagehide", () => leave());
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    leave = connect(member);
    refreshAll();
  });
}
