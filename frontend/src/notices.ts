// What people do with this member's emails, as it happens: a message in every page somebody looks at; where nobody
// looks at any of them, and only if that was asked for, a notification of the browser. A hint of the event stream
// carries an id, and the words come from the server.
import { memberHere, wantsNotifications } from "./notify.ts";
import { dropNotice, noticeIsShown, showNotice, type Notice } from "./toasts.ts";
import { mayTell, type Told } from "./telling.ts";

const GATHER = 60;
// The first is told at once, what follows in one go.
const REST = 1_000;
const MOST_IDS = 100;
// What was missed for so long is told on My Emails anyway.
const LATE = 5 * 60_000;

// Ids that were heard of, and when; those that are being asked about stay here until there is an answer.
const pending = new Map<string, number>();
// What this page has told, with the ids that it rests on: it is taken back when none of them counts any more.
const here = new Map<string, { ids: Set<string>; notification?: Notification }>();
let timer: ReturnType<typeof setTimeout> | undefined;
let askedAt = -Infinity;

function toldKey(): string {
  return `truesend-told:${memberHere()}`;
}

function readTold(): Told {
  try {
    return JSON.parse(localStorage.getItem(toldKey()) ?? "{}") as Told;
  } catch {
    return {};
  }
}

/** Whether to tell it now; remembers that it was. */
function takeTurn(key: string): boolean {
  const [may, told] = mayTell(readTold(), key, Date.now(), here.has(key), performance.timeOrigin);
  if (may) {
    try {
      localStorage.setItem(toldKey(), JSON.stringify(told));
    } catch {
      // Without storage it may be told twice.
    }
  }
  return may;
}

function open(url: string): void {
  window.focus();
  // What somebody writes stays where it is.
  if (location.pathname.startsWith("/emails/new")) window.open(url);
  else location.assign(url);
}

function notify(notice: Notice): Notification | undefined {
  try {
    const shown = new Notification(notice.text, { tag: notice.key });
    shown.addEventListener("click", () => {
      shown.close();
      open(notice.url);
    });
    return shown;
  } catch {
    // Some browsers have the permission and no way to use it from a page.
    return undefined;
  }
}

function tell(notice: Notice): void {
  const known = here.get(notice.key);
  if (known) for (const id of notice.ids) known.ids.add(id);
  if (noticeIsShown(notice.key)) {
    showNotice(notice);
    return;
  }
  if (!takeTurn(notice.key)) return;
  const kept = known ?? { ids: new Set(notice.ids) };
  here.set(notice.key, kept);
  if (!document.hidden) showNotice(notice);
  else {
    const shown = notify(notice);
    if (shown) kept.notification = shown;
  }
}

/** Take back what rests on nothing any more: it was a machine after all, or somebody struck it. */
function withdraw(ids: readonly string[]): void {
  for (const [key, told] of here) {
    let lost = false;
    for (const id of ids) lost = told.ids.delete(id) || lost;
    if (!lost || told.ids.size > 0) continue;
    here.delete(key);
    dropNotice(key);
    told.notification?.close();
  }
}

async function ask(): Promise<void> {
  const now = Date.now();
  const ids = [...pending].filter(([, at]) => now - at < LATE).map(([id]) => id).slice(-MOST_IDS);
  if (ids.length === 0) {
    pending.clear();
    return;
  }
  askedAt = performance.now();
  // Signals have numbers; what somebody asked for has a longer name.
  const asks = ids.filter((id) => id.includes("-"));
  const signals = ids.filter((id) => !id.includes("-"));
  const response = await fetch(`/notices?ids=${signals.join()}&asks=${asks.join()}`, {
    credentials: "same-origin",
    headers: { Accept: "application/json" },
  });
  if (!response.ok || response.redirected) return;
  for (const [id, at] of pending) if (at <= now) pending.delete(id);
  const { items } = (await response.json()) as { items: Notice[] };
  const counting = new Set(items.flatMap((one) => one.ids));
  withdraw(ids.filter((id) => !counting.has(id)));
  for (const item of items) tell(item);
}

/** Whether one of our pages is looked at; each that is holds a lock of this name. */
async function somebodyLooks(): Promise<boolean> {
  const { held } = await navigator.locks.query();
  return held?.some((lock) => lock.name === looking()) ?? false;
}

function looking(): string {
  return `truesend-looking:${memberHere()}`;
}

async function askHidden(): Promise<void> {
  if (navigator.locks && (await somebodyLooks())) {
    // Told there.
    pending.clear();
    return;
  }
  // Kept for when somebody looks at this page again.
  if (!navigator.locks || !wantsNotifications()) return;
  await navigator.locks.request(`truesend-telling:${memberHere()}`, async () => ask());
}

function flush(): void {
  timer = undefined;
  (document.hidden ? askHidden() : ask()).catch(() => undefined);
}

function soon(): void {
  if (pending.size > 0) timer ??= setTimeout(flush, Math.max(GATHER, askedAt + REST - performance.now()));
}

function holdWhileLookedAt(): void {
  let release: (() => void) | undefined;
  const hold = (): void => {
    release?.();
    release = undefined;
    if (document.hidden || !navigator.locks) return;
    navigator.locks
      .request(looking(), { mode: "shared" }, () => new Promise<void>((resolve) => (release = resolve)))
      .catch(() => undefined);
  };
  hold();
  document.addEventListener("visibilitychange", hold);
  addEventListener("pagehide", () => release?.());
  addEventListener("pageshow", (event) => {
    if (event.persisted) hold();
  });
}

/** What a page has heard of when it is left, the next one in its place tells. */
function passOn(): void {
  const key = `truesend-heard:${memberHere()}`;
  try {
    for (const [id, at] of JSON.parse(sessionStorage.getItem(key) ?? "[]") as [string, number][]) pending.set(id, at);
    sessionStorage.removeItem(key);
  } catch {
    // Nothing was kept.
  }
  addEventListener("pagehide", () => {
    try {
      if (pending.size > 0) sessionStorage.setItem(key, JSON.stringify([...pending]));
    } catch {
      // Nothing can be kept.
    }
  });
}

function hear(event: Event): void {
  const id = (event as CustomEvent<{ id: string | null }>).detail?.id;
  if (!id) return;
  pending.delete(id);
  pending.set(id, Date.now());
  if (pending.size > MOST_IDS) for (const [oldest] of pending) {
    pending.delete(oldest);
    break;
  }
  soon();
}

export function startNotices(): void {
  if (!memberHere()) return;
  passOn();
  for (const kind of ["signal", "account"]) document.body.addEventListener(`truesend:${kind}`, hear);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) soon();
  });
  holdWhileLookedAt();
  soon();
}
