// When something may be told: once in a while for an email and a kind, however many pages are open. Pure.

/** When each was told first, in milliseconds, by key. */
export type Told = Record<string, number>;

export const WHILE = 5 * 60_000;
// Pages side by side hear of it together, and each tells whoever looks at it.
export const TOGETHER = 3_000;

/**
 * Whether a page may tell `key` now, and what is then to be remembered. `here`: this page has told it already; `born`:
 * when it was opened, as what was told before that was told to whoever opened it.
 */
export function mayTell(told: Told, key: string, now: number, here: boolean, born: number): [boolean, Told] {
  const at = told[key];
  const passed = at === undefined ? Infinity : Math.abs(now - at);
  if (passed <= WHILE && (here || passed > TOGETHER || (at ?? now) < born)) return [false, told];
  const recent = Object.entries(told).filter(([, when]) => Math.abs(now - when) <= WHILE);
  return [true, { ...Object.fromEntries(recent), [key]: passed <= WHILE ? (at ?? now) : now }];
}
