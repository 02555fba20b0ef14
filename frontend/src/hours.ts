// Hours a person is likely to want, in the browser's own zone. Pure.

export interface Pick {
  label: string;
  value: string;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** As `<input type="datetime-local">` wants it: "2026-12-01T09:00", on the clocks of this browser. */
export function writtenHour(at: Date): string {
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

function atHour(from: Date, days: number, hour: number): Date {
  return new Date(from.getFullYear(), from.getMonth(), from.getDate() + days, hour, 0);
}

/** Later today where there is still time for it, tomorrow morning and afternoon, and Monday morning. */
export function picks(now: number): Pick[] {
  const from = new Date(now);
  const found: Pick[] = [];
  if (from.getHours() < 15) found.push({ label: "Today 17:00", value: writtenHour(atHour(from, 0, 17)) });
  found.push({ label: "Tomorrow 9:00", value: writtenHour(atHour(from, 1, 9)) });
  found.push({ label: "Tomorrow 14:00", value: writtenHour(atHour(from, 1, 14)) });
  const untilMonday = (8 - from.getDay()) % 7 || 7;
  if (untilMonday > 1) found.push({ label: "Monday 9:00", value: writtenHour(atHour(from, untilMonday, 9)) });
  return found;
}
