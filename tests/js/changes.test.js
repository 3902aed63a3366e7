// @ts-check
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

/** @type {typeof import("../../app/static/lib/changes.js")} */
let changes;
let number = 0;

beforeEach(async () => {
  number += 1;
  changes = await import(`../../app/static/lib/changes.js?${number}`); // nothing is known yet
});

test("a listener hears of each new state once", () => {
  let heard = 0;
  changes.onChange(() => (heard += 1));
  for (const state of ["a-1", "a-1", "a-2", "a-2", "b-2"]) changes.noteState(state);
  assert.equal(heard, 3);
});

test("who comes late is told at once that there is a state", () => {
  changes.noteState("a-1");
  let heard = 0;
  changes.onChange(() => (heard += 1));
  assert.equal(heard, 1);
});

test("before the first answer nobody is told anything", () => {
  let heard = 0;
  changes.onChange(() => (heard += 1));
  assert.equal(heard, 0);
});

test("every listener hears of a state", () => {
  let [first, second] = [0, 0];
  changes.onChange(() => (first += 1));
  changes.onChange(() => (second += 1));
  changes.noteState("a-1");
  assert.deepEqual([first, second], [1, 1]);
});
