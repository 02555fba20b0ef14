// Saves a draft one second after a change and again until it worked. The emergency copy is written at once and
// dropped only when the server has what stands on the screen.
import type { Fields } from "./emergency.ts";

export type SaveState =
  | { kind: "idle" }
  | { kind: "saving" }
  | { kind: "saved" }
  | { kind: "failed"; reason: string; retrying: boolean };

export interface AutosaveOptions {
  url: string;
  token: string;
  read: () => Fields;
  keep: (fields: Fields) => boolean;
  drop: () => void;
  show: (state: SaveState) => void;
  delay?: number;
  firstRetry?: number;
}

const DELAY = 1_000;
const FIRST_RETRY = 2_000;
const LONGEST_RETRY = 30_000;
// The browser refuses a larger body on a request that outlives the page.
const KEEPALIVE_LIMIT = 60_000;

class Refused extends Error {
  readonly final: boolean;

  constructor(message: string, final: boolean) {
    super(message);
    this.final = final;
  }
}

async function reasonOf(response: Response): Promise<string> {
  try {
    const body: unknown = await response.json();
    if (typeof body === "object" && body !== null && "sentence" in body) return String(body.sentence);
  } catch {
    // Not a problem document: fall through to our own words.
  }
  return response.status >= 500 ? "the server had an error" : `the server refused it (${response.status})`;
}

export class Autosave {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private request: AbortController | null = null;
  private dirty = false;
  private stopped = false;
  private flushed = "";
  private retry: number;
  private readonly options: AutosaveOptions;

  constructor(options: AutosaveOptions) {
    this.options = options;
    this.retry = options.firstRetry ?? FIRST_RETRY;
  }

  /** Something changed. */
  touch(): void {
    if (this.stopped) return;
    this.dirty = true;
    this.options.keep(this.options.read());
    this.plan(this.options.delay ?? DELAY);
  }

  /** The page may be going away: send what is unsaved in a request that outlives it. */
  flush(): void {
    if (!this.dirty || this.stopped) return;
    const body = JSON.stringify(this.options.read());
    if (body === this.flushed || new TextEncoder().encode(body).length > KEEPALIVE_LIMIT) return;
    this.flushed = body;
    // The emergency copy stays: nobody is left to hear the answer.
    void this.post(body, { keepalive: true }).catch(() => undefined);
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
    if (this.dirty) this.plan(0);
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
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": this.options.token },
      body,
      ...more,
    });
  }

  private async save(): Promise<void> {
    this.timer = undefined;
    this.dirty = false;
    this.request = new AbortController();
    this.options.show({ kind: "saving" });
    let next: number | null = null;
    try {
      await this.attempt(JSON.stringify(this.options.read()), this.request.signal);
      this.retry = this.options.firstRetry ?? FIRST_RETRY;
      if (this.dirty) next = this.options.delay ?? DELAY;
      else this.options.drop();
      this.options.show({ kind: "saved" });
    } catch (error) {
      if (this.stopped) return;
      this.dirty = true;
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

  private async attempt(body: string, signal: AbortSignal): Promise<void> {
    const response = await this.post(body, { signal: AbortSignal.any([signal, AbortSignal.timeout(15_000)]) });
    if (response.redirected || response.status === 401) {
      throw new Refused("you are signed out. Sign in again in another tab; the text is kept here", false);
    }
    if (!response.ok) throw new Refused(await reasonOf(response), response.status < 500 && response.status !== 429);
  }
}
