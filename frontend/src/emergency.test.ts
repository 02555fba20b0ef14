import assert from "node:assert/strict";
import { test } from "node:test";

import { keepCopy, markOf, readCopy, sameFields } from "./emergency.ts";

test("address lists that differ in spaces only are the same draft", () => {
  assert.ok(sameFields({ to: "a@x.example,b@x.example, ", html: "<p>Hi</p>" }, { to: "a@x.example, b@x.example", html: "<p>Hi</p>" }));
  assert.ok(sameFields({ to: "", cc: "" }, { to: "" }));
});

test("another word is another draft", () => {
  assert.ok(!sameFields({ subject: "Hi" }, { subject: "Ho" }));
  assert.ok(!sameFields({ subject: "Hi" }, {}));
});

test("a mark is the same where two states say the same, and only there", () => {
  assert.equal(markOf({ to: "a@x.example, b@x.example", cc: "" }), markOf({ to: "a@x.example,b@x.example,  " }));
  const states = [{}, { subject: "Hi" }, { subject: "Ho" }, { html: "Hi" }, { subject: "Hi", track: "on" }, { subject: "Hi ", track: "off" }];
  assert.equal(new Set(states.map((one) => markOf(one as Record<string, string>))).size, states.length);
});

test("a copy is read with what its page sent, also one of an older page", () => {
  const kept = new Map<string, string>();
  const store = { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, text: string) => kept.set(key, text) } as unknown as Storage;
  keepCopy(store, "new", { subject: "Hi" }, 3, { marks: ["m"], at: 5 });
  assert.deepEqual(readCopy(store, "new"), { at: 5, fields: { subject: "Hi" }, revision: 3, marks: ["m"] });
  kept.set("old", '{"at": 5, "fields": {"subject": "Hi"}, "revision": 3}');
  assert.deepEqual(readCopy(store, "old")?.marks, []);
});
