// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { remember, remembered } from "../../app/components/viewer/window_memory.js";

const NARROW = /** @type {const} */ ({ center: 500, width: 100, fn: "LINEAR" });
const WIDE = /** @type {const} */ ({ center: 2000, width: 4000, fn: "LINEAR" });

/** A storage as browsers have it, in memory. */
function storage() {
  const kept = new Map();
  return /** @type {any} */ ({
    getItem: (/** @type {string} */ key) => kept.get(key) ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ value) => kept.set(key, value),
  });
}

/** @param {string} series @param {string} modality */
function film(series, modality = "CR") {
  return { width: 100, height: 80, bits: 12, acquisition: { modality }, series };
}

test("a series has its own window, and one without takes the last of its kind", () => {
  const kept = storage();
  remember(film("rex"), NARROW, kept);
  assert.deepEqual(remembered(film("rex"), kept), NARROW);
  assert.deepEqual(remembered(film("ada"), kept), NARROW);
  remember(film("ada"), WIDE, kept);
  assert.deepEqual(remembered(film("rex"), kept), NARROW);
  assert.deepEqual(remembered(film("new"), kept), WIDE);
  assert.deepEqual(remembered(film(""), kept), WIDE);
  assert.equal(remembered(film("rex", "DX"), kept), null); // its numbers mean something else
});

test("the default that was chosen for a series stays, whatever is set elsewhere", () => {
  const kept = storage();
  remember(film("rex"), null, kept);
  remember(film("ada"), WIDE, kept);
  assert.equal(remembered(film("rex"), kept), null);
});

test("what was set first is forgotten first", () => {
  const kept = storage();
  for (let number = 0; number < 250; number++) remember(film(`dog ${number}`), NARROW, kept);
  remember(film(""), WIDE, kept);
  assert.deepEqual(remembered(film("dog 0"), kept), WIDE);
  assert.deepEqual(remembered(film("dog 249"), kept), NARROW);
});
