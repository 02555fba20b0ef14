import assert from "node:assert/strict";
import { test } from "node:test";

import { mayTell, TOGETHER, WHILE, type Told } from "./telling.ts";

const NOW = 1_000_000_000;

test("the first is told, the next ones of the same email and kind are not", () => {
  const [first, told] = mayTell({}, "a:open", NOW, false, NOW - 60_000);
  assert.equal(first, true);
  assert.equal(mayTell(told, "a:open", NOW + 1_000, true, NOW - 60_000)[0], false);
  assert.equal(mayTell(told, "a:open", NOW + TOGETHER + 1, false, NOW - 60_000)[0], false);
  assert.equal(mayTell(told, "a:click", NOW + 1_000, true, NOW - 60_000)[0], true);
});

test("pages side by side tell it together", () => {
  const told: Told = { "a:open": NOW };
  const [may, after] = mayTell(told, "a:open", NOW + 200, false, NOW - 60_000);
  assert.equal(may, true);
  assert.deepEqual(after, told);
});

test("after a while it is news again, and what is old is forgotten", () => {
  const told: Told = { "a:open": NOW, "b:open": NOW - WHILE };
  const [may, after] = mayTell(told, "a:open", NOW + WHILE + 1, true, NOW - 60_000);
  assert.equal(may, true);
  assert.deepEqual(after, { "a:open": NOW + WHILE + 1 });
});

test("a page that was opened since says it no second time", () => {
  assert.equal(mayTell({ "a:open": NOW }, "a:open", NOW + 500, false, NOW + 200)[0], false);
});
