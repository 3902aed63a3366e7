// @ts-check
// Where the keys lead among the tiles of the grid.

import assert from "node:assert/strict";
import { test } from "node:test";
import { placeAfter } from "../../app/components/grid/place_after.js";

test("arrows lead to the tiles around, in rows of four", () => {
  const from = (/** @type {string} */ key) => placeAfter(key, 5, 4, 11);
  assert.deepEqual(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"].map(from), [4, 6, 1, 9]);
  assert.deepEqual(["Home", "End"].map(from), [0, 10]);
});

test("no key leads beyond the first and the last tile", () => {
  assert.deepEqual([placeAfter("ArrowLeft", 0, 4, 11), placeAfter("ArrowUp", 2, 4, 11)], [0, 0]);
  assert.deepEqual([placeAfter("ArrowRight", 10, 4, 11), placeAfter("ArrowDown", 8, 4, 11)], [10, 10]);
});

test("other keys lead nowhere, and without tiles no key does", () => {
  assert.equal(placeAfter("Enter", 5, 4, 11), null);
  assert.equal(placeAfter("ArrowRight", 0, 4, 0), null);
});
