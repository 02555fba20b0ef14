// The emergency copy of a draft: kept in this browser from a keystroke until the server has saved it.

const PREFIX = "truesend:draft:";

export type Fields = Record<string, string>;

export function draftKey(member: string, draft: string): string {
  return `${PREFIX}${member}:${draft}`;
}

/** The copy, or null when there is none or it cannot be read. */
export function readCopy(store: Storage, key: string): Fields | null {
  try {
    const value: unknown = JSON.parse(store.getItem(key) ?? "null");
    if (typeof value !== "object" || value === null) return null;
    return Object.fromEntries(Object.entries(value).filter(([, text]) => typeof text === "string")) as Fields;
  } catch {
    return null;
  }
}

/** False when the browser has no room or forbids storing. */
export function keepCopy(store: Storage, key: string, fields: Fields): boolean {
  try {
    store.setItem(key, JSON.stringify(fields));
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
