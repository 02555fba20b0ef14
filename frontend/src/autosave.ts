// Saves a draft one second after a change and again until it worked. The emergency copy is written at once and
// dropped only when the server has what stands on the screen.
import { markOf, sameFields, type Fields } from "./emergency.ts";

export type SaveState =
  | { kind: "idle" }
  | { kind: "saving" }
  | { kind: "saved" }
  | { kind: "failed"; reason: string; retrying: boolean };

export interface AutosaveOptions {
  url: string;
  token: () => string;
  /** The server's revision of the draft the page was made from; 0: it has none. */
  revision: number;
  read: () => Fields;
  keep: (fields: Fields) => boolean;
  drop: () => void;
  show: (state: SaveState) => void;
  /** Somebody else's text stands there, or the email was sent: this page saves no more and keeps its own copy. */
  parted?: () => void;
  delay?: number;
  firstRetry?: number;
}

const DELAY = 1_000;
const FIRST_RETRY = 2_000;
const LONGEST_RETRY = 30_000;
// The browser refuses a larger body on a request that outlives the page.
const KEEPALIVE_LIMIT = 60_000;
const PATIENCE = 15_000;

class Refused extends Error {
  readonly final: boolean;

  constructor(message: string, final: boolean) {
    super(message);
    this.final = final;
  }
}

interface Answer {
  sentence?: unknown;
  revision?: unknown;
  /** With 409: what the server has, and whether it is what was sent to it. */
  stored?: unknown;
  same?: unknown;
}

async function answerOf(response: Response): Promise<Answer> {
  try {
    const body: unknown = await response.json();
    return typeof body === "object" && body !== null ? body : {};
  } catch {
    // Not JSON: our own words do.
    return {};
  }
}

function reasonOf(response: Response, answer: Answer): string {
  if (typeof answer.sentence === "string") return answer.sentence;
  return response.status >= 500 ? "the server had an error" : `the server refused it (${response.status})`;
}

export class Autosave {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private request: AbortController | null = null;
  private dirty = false;
  private stopped = false;
  private flushed = "";
  private flushing: Promise<void> | null = null;
  private gone = false;
  private retry: number;
  private version: number;
  // What the server may have from this page: an answer can be lost after the text was stored.
  private own: Fields[] = [];
  // Of these no answer was heard yet.
  private open = new Set<Fields>();
  private readonly options: AutosaveOptions;

  constructor(options: AutosaveOptions) {
    this.options = options;
    this.retry = options.firstRetry ?? FIRST_RETRY;
    this.version = options.revision;
  }

  /** The server's revision this page builds on; null while an answer is missing and it cannot be known. */
  get revision(): number | null {
    return this.own.length > 1 || this.request || this.flushing ? null : this.version;
  }

  /** The revision this page last heard of. */
  get base(): number {
    return this.version;
  }

  /** Whether the page writes on its own, apart from what the server has. */
  get parted(): boolean {
    return this.gone;
  }

  /** What the server may have from this page, for a page that finds the emergency copy of this one. */
  get marks(): string[] {
    return this.own.map(markOf);
  }

  /** This page, or one before it with the same copy, may have stored these. */
  mayHave(fields: Fields): void {
    this.own.push(fields);
  }

  /** Something changed. */
  touch(delay = this.options.delay ?? DELAY): void {
    if (this.stopped) return;
    // "Saved" is not true any more.
    if (!this.dirty && !this.underWay && !this.gone) this.options.show({ kind: "idle" });
    this.dirty = true;
    this.options.keep(this.options.read());
    if (!this.gone) this.plan(delay);
  }

  /** Wait, but not for long, until nothing is under way. */
  async settle(patience: number): Promise<void> {
    const until = Date.now() + patience;
    while ((this.request || this.flushing) && Date.now() < until) await new Promise((done) => setTimeout(done, 20));
  }

  /** Save what is unsaved now; whether the server has everything, after at most `patience` ms. */
  async sync(patience: number): Promise<boolean> {
    const until = Date.now() + patience;
    while ((this.dirty || this.underWay) && !this.stopped && !this.gone && Date.now() < until) {
      if (this.dirty && !this.request) {
        clearTimeout(this.timer);
        await this.save();
        if (this.dirty && this.timer !== undefined) break; // it did not work, and is tried again by itself
      } else await new Promise((done) => setTimeout(done, 20));
    }
    return !this.dirty && !this.underWay;
  }

  get underWay(): boolean {
    return this.request !== null || this.flushing !== null;
  }

  /** The page may be going away: send what is unsaved in a request that outlives it. */
  flush(): void {
    // A save under way may end with the page, so what it carries is unsaved too.
    if ((!this.dirty && !this.request) || this.stopped || this.gone) return;
    const fields = this.options.read();
    const text = JSON.stringify(fields);
    // Another save may or may not come first: whichever order they arrive in, this later text must stand.
    const body = this.underWay ? text : JSON.stringify({ ...fields, revision: this.version });
    if (text === this.flushed || new TextEncoder().encode(body).length > KEEPALIVE_LIMIT) return;
    this.flushed = text;
    this.begin(fields);
    // The emergency copy stays until an answer was heard: usually nobody is left to hear one. Where the page was only
    // hidden, the next save goes on from what this one made.
    const sent = this.post(body, { keepalive: true, signal: AbortSignal.timeout(PATIENCE) })
      .then(async (response) => {
        const { revision } = response.ok && !response.redirected ? await answerOf(response) : {};
        if (typeof revision === "number") this.stored(fields, revision);
      })
      .catch(() => (this.flushed = ""))
      .finally(() => this.open.delete(fields));
    const all = Promise.allSettled([this.flushing, sent]).then(() => {
      if (this.flushing === all) this.flushing = null;
    });
    this.flushing = all;
  }

  /** The form itself is being sent and carries everything: no later save may overtake it. */
  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.request?.abort();
  }

  resume(): void {
    this.stopped = false;
    if (this.dirty && !this.gone) this.plan(0);
  }

  /** A save of these begins; the emergency copy says so, since its answer may come when this page is gone. */
  private begin(fields: Fields): void {
    this.own.push(fields);
    this.open.add(fields);
    this.options.keep(this.options.read());
  }

  private stored(fields: Fields, revision: number): void {
    this.version = Math.max(this.version, revision);
    this.own = [fields, ...this.own.filter((one) => one !== fields && this.open.has(one))];
  }

  private plan(delay: number): void {
    if (this.timer === undefined && this.request === null) {
      this.timer = setTimeout(() => void this.save(), delay);
    }
  }

  private post(body: string, more: RequestInit): Promise<Response> {
    return fetch(this.options.url, {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": this.options.token() },
      body,
      ...more,
    });
  }

  private async save(): Promise<void> {
    this.timer = undefined;
    await this.flushing;
    if (this.stopped || this.gone || this.request) return;
    this.dirty = false;
    this.request = new AbortController();
    this.options.show({ kind: "saving" });
    let next: number | null = null;
    try {
      await this.attempt(this.options.read(), this.request.signal);
      this.retry = this.options.firstRetry ?? FIRST_RETRY;
      if (this.dirty) {
        this.options.keep(this.options.read());
        next = this.options.delay ?? DELAY;
      } else this.options.drop();
      this.options.show({ kind: this.dirty ? "idle" : "saved" });
    } catch (error) {
      this.dirty = true;
      if (this.stopped) return;
      const final = error instanceof Refused && error.final;
      const reason = error instanceof Refused ? error.message : "no connection to the server";
      this.options.show({ kind: "failed", reason, retrying: !final });
      if (!final) {
        next = this.retry;
        this.retry = Math.min(this.retry * 2, LONGEST_RETRY);
      }
    } finally {
      this.request = null;
      if (next !== null && !this.stopped) this.plan(next);
    }
  }

  private async attempt(fields: Fields, signal: AbortSignal): Promise<void> {
    this.begin(fields);
    const body = JSON.stringify({ ...fields, revision: this.version });
    const response = await this.post(body, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]),
    }).finally(() => this.open.delete(fields));
    if (response.redirected || response.status === 401 || response.status === 403) {
      this.own = this.own.filter((one) => one !== fields);
      const what = response.status === 403 ? "your sign-in changed. Sign" : "you are signed out. Sign";
      throw new Refused(`${what} in again in another tab; the text is kept here`, false);
    }
    const answer = await answerOf(response);
    if (response.status < 500 && !response.ok) this.own = this.own.filter((one) => one !== fields);
    if (response.status === 409) return this.changed(fields, answer, signal);
    if (!response.ok) {
      throw new Refused(reasonOf(response, answer), response.status < 500 && response.status !== 429);
    }
    this.stored(fields, typeof answer.revision === "number" ? answer.revision : this.version);
  }

  /** 409: the server has another text, unless it is one of this page's whose answer was lost. */
  private async changed(fields: Fields, answer: Answer, signal: AbortSignal): Promise<void> {
    const { stored, revision } = answer;
    if (answer.same === true) {
      // Sent (or saved) word for word; a sent email has no revision, and the next change will part from it.
      this.stored(fields, typeof revision === "number" ? revision : this.version);
      return;
    }
    const mine = typeof stored === "object" && stored !== null && this.own.some((one) => sameFields(one, stored as Fields));
    if (mine && typeof revision === "number" && revision !== this.version) {
      this.version = revision;
      await this.attempt(fields, signal);
      return;
    }
    this.gone = true;
    this.options.parted?.();
    this.options.keep(this.options.read());
    throw new Refused(typeof answer.sentence === "string" ? answer.sentence : "it was changed elsewhere", true);
  }
}
