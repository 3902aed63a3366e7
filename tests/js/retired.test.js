// Which slot values are left out, and the words for it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { findRetired, retiredWords } from "../../app/components/health/retired.js";

const LIST = [
  { slot: "WHAT", value: "clock", person: "ann", created_at: "2026-11-25T10:00:00" },
  { slot: "BREED", value: "tabby", person: "bob", created_at: "2026-11-24T10:00:00" },
  { slot: "WHAT", value: "bell", person: "ann", created_at: "2026-11-23T10:00:00" },
];

test("a slot is the same in upper and lower case, a value is not", () => {
  assert.equal(findRetired(LIST, "what", "clock"), LIST[0]);
  assert.equal(findRetired(LIST, "WHAT", "Clock"), null);
  assert.equal(findRetired(LIST, "BREED", "clock"), null);
});

test("the words list the values by slot", () => {
  assert.equal(retiredWords(LIST), "WHAT: bell, clock; BREED: tabby");
  assert.equal(retiredWords([]), "");
});
