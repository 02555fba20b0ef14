// One file of an email as the page shows it: how large it is, whether it fits, its row.

export interface Stored {
  id: string;
  name: string;
  size: number;
  size_words: string;
  url: string;
}

export interface Limits {
  bytes: number;
  files: number;
}

/** As the server writes a size. */
export function sizeWords(size: number): string {
  if (size < 1024) return `${size} byte${size === 1 ? "" : "s"}`;
  if (size < 1024 * 1024) return `${Math.max(1, Math.round(size / 1024))} KB`;
  let megabytes = size / (1024 * 1024);
  // What is a little over a whole number does not read like it.
  const whole = Math.round(megabytes);
  if (megabytes > whole && megabytes < whole + 0.005) megabytes = whole + 0.01;
  const digits = Number(megabytes.toFixed(1)) === whole && Number(megabytes.toFixed(2)) !== whole ? 2 : 1;
  return `${megabytes.toFixed(digits).replace(/\.0$/, "")} MB`;
}

/** Why a file cannot be attached beside what is there, or null. */
export function refusal(file: { name: string; size: number }, have: number, limits: Limits): string | null {
  if (have + file.size <= limits.bytes) return null;
  const already = have > 0 ? `; this email has ${sizeWords(have)} already` : "";
  const instead = file.size > limits.bytes ? "Remove it, and send a link to it instead." : "Remove it, or another one first.";
  return `It is ${sizeWords(file.size)}. Attachments may be ${sizeWords(limits.bytes)} in all${already}. ${instead}`;
}

type State = "waiting" | "sending" | "stored" | "failed";

/** One file's row on the page. */
export class Row {
  readonly item: HTMLLIElement;
  readonly name: string;
  size: number;
  state: State = "waiting";
  stored: Stored | null = null;
  request: XMLHttpRequest | null = null;
  file: File | null = null;
  /** What the server said of this very file, which another try would not change. */
  final = false;

  constructor(item: HTMLLIElement, name: string, size: number) {
    this.item = item;
    this.name = name;
    this.size = size;
  }

  part<T extends Element>(selector: string): T {
    const found = this.item.querySelector<T>(selector);
    if (!found) throw new Error(`a file's row without ${selector}`);
    return found;
  }

  get words(): string {
    return this.part(".file-state").textContent ?? "";
  }

  show(state: State, words: string, share: number | null = null): void {
    this.state = state;
    this.item.dataset["state"] = state;
    const bar = this.part<HTMLProgressElement>("progress");
    bar.hidden = share === null;
    bar.value = share ?? 0;
    bar.setAttribute("aria-label", `Uploading ${this.name}`);
    const line = this.part<HTMLElement>(".file-state");
    if (line.textContent !== words) line.textContent = words;
    const label = state === "sending" || state === "waiting" ? `Cancel ${this.name}` : `Remove ${this.name}`;
    this.part(".file-remove").setAttribute("aria-label", label);
    const link = this.part<HTMLAnchorElement>("a");
    link.textContent = this.stored?.name ?? this.name;
    if (this.stored) link.href = this.stored.url;
    else link.removeAttribute("href");
  }
}
