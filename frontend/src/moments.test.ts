import assert from "node:assert/strict";
import { test } from "node:test";

import { writeAgo, writeClock, writeFull, writePoint } from "./moments.ts";

const now = Date.parse("2026-11-22T10:12:40Z");
const reader = { now, timeZone: "UTC" };
const at = (iso: string): number => Date.parse(iso);

test("a time today is a clock time, older ones say the day", () => {
  assert.equal(writeClock(at("2026-11-22T00:05:00Z"), reader), "00:05");
  assert.equal(writeClock(at("2026-11-20T23:59:00Z"), reader), "Fri");
  assert.equal(writeClock(at("2026-11-03T08:00:00Z"), reader), "3 Nov");
  assert.equal(writeClock(at("2025-03-03T08:00:00Z"), reader), "3 Mar 2025");
});

test("a point in time keeps its time of day", () => {
  assert.equal(writePoint(at("2026-11-22T00:05:00Z"), reader), "00:05");
  assert.equal(writePoint(at("2026-11-20T23:59:00Z"), reader), "Fri 23:59");
  assert.equal(writePoint(at("2026-11-03T08:00:00Z"), reader), "3 Nov 08:00");
});

test("the day is the reader's, not the server's", () => {
  const auckland = { now, timeZone: "Pacific/Auckland" };
  assert.equal(writeClock(at("2026-11-22T10:59:00Z"), auckland), "23:59");
  assert.equal(writeClock(at("2026-11-21T10:59:00Z"), auckland), "Sat");
});

test("distances go both ways and end at a day", () => {
  assert.equal(writeAgo(now - 200, reader), "just now");
  assert.equal(writeAgo(now - 40_000, reader), "40 s ago");
  assert.equal(writeAgo(now - 59 * 60_000, reader), "59 min ago");
  assert.equal(writeAgo(now - 23 * 3_600_000, reader), "23 h ago");
  assert.equal(writeAgo(now + 38 * 60_000, reader), "in 38 min");
  assert.equal(writeAgo(now - 25 * 3_600_000, reader), "Sat");
});

test("the full form carries seconds", () => {
  assert.equal(writeFull(now, reader), "Sun 22 Nov 2026, 10:12:40");
});
