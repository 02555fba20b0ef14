// The emergency copy of a draft: kept in this browser from a keystroke until the server has saved it.

const PREFIX = "truesend:draft:";

export type Fields = Record<string, string>;

export interface Copy {
  /** When it was written, ms of the browser's clock. */
  at: number;
  fields: Fields;
  /** The server's revision the text was written on. */
  revision: number;
  /** Of the texts its page sent to the server, which may have any of them. */
  marks: string[];
}

export function draftKey(member: string, draft: string): string {
  return `${PREFIX}${member}:${draft}`;
}

/** The copy, or null when there is none or it cannot be read. */
export function readCopy(store: Storage, key: string): Copy | null {
  try {
    const value: unknown = JSON.parse(store.getItem(key) ?? "null");
    if (typeof value !== "object" || value === null || !("at" in value) || !("fields" in value)) return null;
    const texts = Object.entries(value.fields as object).filter(([, text]) => typeof text === "string");
    const revision = "revision" in value ? Number(value.revision) || 0 : 0;
    const marks = "marks" in value && Array.isArray(value.marks) ? value.marks.filter((one) => typeof one === "string") : [];
    return { at: Number(value.at) || 0, fields: Object.fromEntries(texts) as Fields, revision, marks };
  } catch {
    return null;
  }
}

/** False when the browser has no room or forbids storing. */
export function keepCopy(
  store: Storage,
  key: string,
  fields: Fields,
  revision: number,
  { marks = [], at = Date.now() }: { marks?: string[]; at?: number } = {},
): boolean {
  try {
    store.setItem(key, JSON.stringify({ at, fields, revision, marks } satisfies Copy));
    return true;
  } catch {
    return false;
  }
}

export function dropCopy(store: Storage, key: string): void {
  store.removeItem(key);
}

export function forgetDrafts(store: Storage): void {
  for (const key of Object.keys(store)) if (key.startsWith(PREFIX)) store.removeItem(key);
}

/** The drafts of a member that have a copy here. */
export function draftsWithCopy(store: Storage, member: string): string[] {
  const start = draftKey(member, "");
  return Object.keys(store)
    .filter((key) => key.startsWith(start))
    .map((key) => key.slice(start.length));
}

/** Of a member's drafts with a copy here that the server never had, the one written last; or null. */
export function newestUnsaved(store: Storage, member: string): string | null {
  const unsaved = draftsWithCopy(store, member)
    .map((draft) => ({ draft, copy: readCopy(store, draftKey(member, draft)) }))
    .filter(({ copy }) => copy?.revision === 0)
    .toSorted((one, other) => (other.copy?.at ?? 0) - (one.copy?.at ?? 0));
  return unsaved[0]?.draft ?? null;
}

/** An id for a draft. `crypto.randomUUID` exists only where the page came by https or from this machine. */
export function newDraftId(): string {
  const hex = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20)];
  return parts.join("-");
}

function plain(text: string | undefined): string {
  return (text ?? "")
    .replaceAll(/\s*[,\n]\s*/g, ",")
    .replace(/,+$/, "")
    .trim();
}

/** Whether two states of a draft say the same; the server writes address lists in one form. */
export function sameFields(one: Fields, other: Fields): boolean {
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].every((name) => plain(one[name]) === plain(other[name]));
}

/** A short mark of what a state of a draft says: the same of two that `sameFields` takes for one. */
export function markOf(fields: Fields): string {
  const said = Object.keys(fields)
    .toSorted()
    .map((name) => [name, plain(fields[name])])
    .filter(([, text]) => text !== "");
  const text = JSON.stringify(said);
  let [one, other] = [0x811c9dc5, 0x9747b28c];
  for (let at = 0; at < text.length; at += 1) {
    one = Math.imul(one ^ text.charCodeAt(at), 0x01000193);
    other = Math.imul(other ^ text.charCodeAt(at), 0x5bd1e995);
  }
  return `${text.length}-${(one >>> 0).toString(36)}-${(other >>> 0).toString(36)}`;
}
