// @ts-check
// Which points are drawn over which.

import assert from "node:assert/strict";
import { test } from "node:test";
import { levels } from "../../app/components/scatter/model.js";
import { REAL, SYNTHETIC, TEST } from "../../app/components/scatter/points.js";

const of = (/** @type {number[]} */ ...origins) => levels(Uint8Array.from(origins));

test("the rarer origin is drawn later, and so over the more frequent one", () => {
  const some = of(SYNTHETIC, SYNTHETIC, SYNTHETIC, REAL, REAL, TEST);
  assert.deepEqual([some[SYNTHETIC], some[REAL], some[TEST]], [0, 1, 2]);
  const few = of(REAL, REAL, REAL, TEST, TEST, SYNTHETIC);
  assert.deepEqual([few[REAL], few[TEST], few[SYNTHETIC]], [0, 1, 2]);
});

test("synthetic images are drawn over as many real ones", () => {
  const equal = of(REAL, SYNTHETIC);
  assert.ok(equal[SYNTHETIC] > equal[REAL]);
});
