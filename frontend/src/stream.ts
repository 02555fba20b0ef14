// One connection to the server's events, with its own reconnecting. Runs in the shared worker, or in the page where
// the browser has none.

export type StreamMessage =
  | { type: "open"; stale: boolean }
  | { type: "event"; kind: string; id: string | null; at: string | null }
  | { type: "down" };

export const KINDS = ["verdict", "email", "signal", "account"] as const;

const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 15_000;

export class Stream {
  private source: EventSource | null = null;
  private wait = FIRST_WAIT;
  private openedAt = 0;
  private lastEventAt = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly url: string;
  private readonly tell: (message: StreamMessage) => void;

  constructor(url: string, tell: (message: StreamMessage) => void) {
    this.url = url;
    this.tell = tell;
    this.connect();
  }

  /** Whether a page rendered at this time (ms) may have missed something; null while not connected. */
  staleSince(renderedAt: number): boolean | null {
    if (this.openedAt === 0) return null;
    return this.openedAt >= renderedAt || this.lastEventAt >= renderedAt;
  }

  close(): void {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
    this.openedAt = 0;
  }

  private connect(): void {
    const source = new EventSource(this.url);
    this.source = source;
    source.addEventListener("open", () => {
      this.wait = FIRST_WAIT;
      this.openedAt = Date.now();
      this.tell({ type: "open", stale: true });
    });
    for (const kind of KINDS) {
      source.addEventListener(kind, (event) => {
        this.lastEventAt = Date.now();
        this.tell({ type: "event", kind, ...read(event.data) });
      });
    }
    source.addEventListener("error", () => {
      this.close();
      this.tell({ type: "down" });
      this.timer = setTimeout(() => this.connect(), this.wait);
      this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
    });
  }
}

function read(data: unknown): { id: string | null; at: string | null } {
  try {
    const value: unknown = JSON.parse(String(data));
    if (typeof value === "object" && value !== null) {
      const { id, at } = value as { id?: unknown; at?: unknown };
      return { id: id === undefined ? null : String(id), at: at === undefined ? null : String(at) };
    }
  } catch {
    // A hint that cannot be read is still a hint.
  }
  return { id: null, at: null };
}
