// The plot without a mouse: where the cross goes, and what is said of the point under it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { moved, spoken } from "../../app/components/scatter/keyboard.js";
import { NONE } from "../../app/components/scatter/points.js";

const SIZE = { width: 200, height: 100 };

test("the cross moves within the plot", () => {
  assert.deepEqual(moved([100, 50], [40, 0], SIZE), { cross: [140, 50], pan: [0, 0] });
});

test("at the edge the view follows by what is left of the step", () => {
  assert.deepEqual(moved([190, 50], [40, 0], SIZE), { cross: [200, 50], pan: [30, 0] });
  assert.deepEqual(moved([10, 5], [-8, -8], SIZE), { cross: [2, 0], pan: [0, -3] });
});

test("a point is said in words: label before prompt, no prediction where there is none", () => {
  const columns = {
    ids: [7, 8],
    origin: [0, 2],
    label: [1, NONE],
    prompted: [NONE, 0],
    predicted: [0, NONE],
    state: [1, 0],
  };
  const model = /** @type {any} */ ({ header: { classes: ["cat", "dog"] }, columns });
  assert.equal(spoken(model, 0), "image 7, real, training, dog, predicted cat, labeled");
  assert.equal(spoken(model, 1), "image 8, synthetic, cat, not reviewed");
});
