// How a time is written. Pure: the server's clock and the reader's zone come in as arguments.

export type TimeStyle = "clock" | "point" | "ago" | "full";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

interface Reader {
  now: number;
  locale?: string;
  timeZone?: string;
}

function format(at: number, reader: Reader, options: Intl.DateTimeFormatOptions): string {
  const zone = reader.timeZone === undefined ? {} : { timeZone: reader.timeZone };
  return new Intl.DateTimeFormat(reader.locale ?? "en-GB", { ...options, ...zone }).format(at);
}

function clockTime(at: number, reader: Reader): string {
  return format(at, reader, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

function day(at: number, reader: Reader): string {
  return format(at, reader, { year: "numeric", month: "numeric", day: "numeric" });
}

/** "10:12" today, "Fri" within the last six days, "3 Mar" this year, else "3 Mar 2025". */
export function writeClock(at: number, reader: Reader): string {
  if (day(at, reader) === day(reader.now, reader)) return clockTime(at, reader);
  const age = reader.now - at;
  if (age > 0 && age < 6 * DAY) return format(at, reader, { weekday: "short" });
  const sameYear = format(at, reader, { year: "numeric" }) === format(reader.now, reader, { year: "numeric" });
  return format(at, reader, { day: "numeric", month: "short", ...(sameYear ? {} : { year: "numeric" }) });
}

/** As `writeClock`, and the time of day with it: "10:12", "Fri 10:12", "3 Mar 10:12". */
export function writePoint(at: number, reader: Reader): string {
  const short = writeClock(at, reader);
  const time = clockTime(at, reader);
  return short === time ? time : `${short} ${time}`;
}

/** "40 s ago", "5 min ago", "3 h ago", "in 38 min"; from a day on the date. */
export function writeAgo(at: number, reader: Reader): string {
  const distance = Math.abs(reader.now - at);
  if (distance < 1_000) return "just now";
  if (distance >= DAY) return writeClock(at, reader);
  let amount = `${Math.floor(distance / 1_000)} s`;
  if (distance >= HOUR) amount = `${Math.floor(distance / HOUR)} h`;
  else if (distance >= MINUTE) amount = `${Math.floor(distance / MINUTE)} min`;
  return at > reader.now ? `in ${amount}` : `${amount} ago`;
}

/** "Fri 7 Nov 2026, 10:12:40". */
export function writeFull(at: number, reader: Reader): string {
  const date = format(at, reader, { weekday: "short", day: "numeric", month: "short", year: "numeric" });
  const time = format(at, reader, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  return `${date.replace(",", "")}, ${time}`;
}

export function writeTime(at: number, style: TimeStyle, reader: Reader): string {
  if (style === "ago") return writeAgo(at, reader);
  if (style === "point") return writePoint(at, reader);
  return style === "full" ? writeFull(at, reader) : writeClock(at, reader);
}
