import assert from "node:assert/strict";
import { test } from "node:test";

import { picks, writtenHour } from "./hours.ts";

test("an hour is written on this browser's clocks", () => {
  assert.equal(writtenHour(new Date(2026, 10, 30, 9, 5)), "2026-11-30T09:05");
});

test("in the morning today is offered, on a Sunday Monday is tomorrow", () => {
  const monday = picks(new Date(2026, 10, 30, 8, 0).getTime());
  assert.deepEqual(
    monday.map((one) => one.label),
    ["Today 17:00", "Tomorrow 9:00", "Tomorrow 14:00", "Monday 9:00"],
  );
  assert.equal(monday.at(-1)?.value, "2026-12-07T09:00");
  const sunday = picks(new Date(2026, 10, 29, 20, 0).getTime());
  assert.deepEqual(
    sunday.map((one) => one.value),
    ["2026-11-30T09:00", "2026-11-30T14:00"],
  );
});
