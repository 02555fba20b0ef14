import assert from "node:assert/strict";
import { test } from "node:test";

import { sameFields } from "./emergency.ts";

test("address lists that differ in spaces only are the same draft", () => {
  assert.ok(sameFields({ to: "a@x.example,b@x.example, ", html: "<p>Hi</p>" }, { to: "a@x.example, b@x.example", html: "<p>Hi</p>" }));
  assert.ok(sameFields({ to: "", cc: "" }, { to: "" }));
});

test("another word is another draft", () => {
  assert.ok(!sameFields({ subject: "Hi" }, { subject: "Ho" }));
  assert.ok(!sameFields({ subject: "Hi" }, {}));
});
