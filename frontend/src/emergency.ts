// The emergency copy of a draft: kept in this browser from a keystroke until the server has saved it.

const PREFIX = "truesend:draft:";

export type Fields = Record<string, string>;

export interface Copy {
  /** When it was written, ms of the browser's clock. */
  at: number;
  fields: Fields;
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
    return { at: Number(value.at) || 0, fields: Object.fromEntries(texts) as Fields };
  } catch {
    return null;
  }
}

/** False when the browser has no room or forbids storing. */
export function keepCopy(store: Storage, key: string, fields: Fields): boolean {
  try {
    store.setItem(key, JSON.stringify({ at: Date.now(), fields } satisfies Copy));
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

function plain(text: string | undefined): string {
  return (text ?? "")
    .replaceAll(/\s*,\s*/g, ",")
    .replace(/,+$/, "")
    .trim();
}

/** Whether two states of a draft say the same; the server writes address lists in one form. */
export function sameFields(one: Fields, other: Fields): boolean {
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].every((name) => plain(one[name]) === plain(other[name]));
}
