import assert from "node:assert/strict";
import { test } from "node:test";

import { isFinished } from "./people.ts";
import { refusal, sizeWords } from "./files.ts";

test("a comma ends an entry where it cannot be part of a name", () => {
  for (const text of ["ines@globex.example,", "Ines <ines@globex.example>,", '"Moreau, Ines" <ines@globex.example>,', "tom;"]) {
    assert.equal(isFinished(text), true, text);
  }
  for (const text of ["Moreau,", '"Moreau,', '"Moreau, Ines@home,', "Ines <ines@globex.example,", ",", "ines@globex.example", " ;"]) {
    assert.equal(isFinished(text), false, text);
  }
});

test("sizes read as the server writes them", () => {
  const sizes: [number, string][] = [[0, "0 bytes"], [1, "1 byte"], [1023, "1023 bytes"], [1024, "1 KB"], [26_214_400, "25 MB"], [2_621_440, "2.5 MB"]];
  for (const [size, words] of sizes) assert.equal(sizeWords(size), words);
});

test("a file that does not fit beside the others is refused in words", () => {
  const limits = { bytes: 25 * 1024 * 1024, files: 100 };
  assert.equal(
    refusal({ name: "a", size: limits.bytes + 20_000 }, 0, limits),
    "It is 25.02 MB. Attachments may be 25 MB in all. Remove it, and send a link to it instead.",
  );
  assert.equal(refusal({ name: "a", size: limits.bytes }, 0, limits), null);
  assert.equal(
    refusal({ name: "a", size: limits.bytes }, 1024 * 1024, limits),
    "It is 25 MB. Attachments may be 25 MB in all; this email has 1 MB already. Remove it, or another one first.",
  );
});
