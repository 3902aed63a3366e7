// @ts-check
// Which images the grid shows first while nothing is selected.

import assert from "node:assert/strict";
import { test } from "node:test";
import { sorted } from "../../app/components/grid/order.js";
import { mostSuspicious, suspicion } from "../../app/components/grid/suspicion.js";
import { NONE } from "../../app/components/scatter/points.js";

/**
 * @param {{ ood?: number, label?: number, prompted?: number, predicted?: number, confidence?: number }[]} points
 * @returns {import("../../app/components/scatter/points.js").Columns}
 */
function columnsOf(points) {
  /** @param {(point: (typeof points)[0]) => number} value */
  const bytes = (value) => Uint8Array.from(points, value);
  /** @param {(point: (typeof points)[0]) => number} value */
  const floats = (value) => Float32Array.from(points, value);
  return {
    ids: Uint32Array.from(points.keys(), (id) => id + 1),
    pca: new Float32Array(2 * points.length),
    umap: new Float32Array(2 * points.length),
    origin: bytes(() => 0),
    label: bytes(({ label }) => label ?? NONE),
    prompted: bytes(({ prompted }) => prompted ?? NONE),
    predicted: bytes(({ predicted }) => predicted ?? NONE),
    state: bytes(() => 0),
    confidence: floats(({ confidence }) => confidence ?? Number.NaN),
    ood_real: floats(({ ood }) => ood ?? Number.NaN),
    ood_synthetic: floats(() => Number.NaN),
  };
}

test("far from real or surely another class is suspicious, and what is unknown is not", () => {
  const columns = columnsOf([
    {},
    { ood: 0.75 },
    { label: 1, predicted: 1, confidence: 1 },
    { label: 1, predicted: 0, confidence: 0.5 },
    { prompted: 2, predicted: 0, confidence: 0.25, ood: 0.125 },
    { label: 0, prompted: 2, predicted: 0, confidence: 0.5 }, // the label counts, not the prompt
    { predicted: 0, confidence: 1 },
  ]);
  assert.deepEqual(
    [...columns.ids.keys()].map((point) => suspicion(columns, point)),
    [0, 0.75, 0, 0.5, 0.25, 0, 0],
  );
});

test("the most suspicious of many, as sorting all of them gives", () => {
  const columns = columnsOf(Array.from({ length: 5000 }, (_, i) => (i % 3 ? { ood: ((i * 7919) % 1000) / 1000 } : {})));
  const visible = Uint8Array.from({ length: 5000 }, (_, i) => Number(i % 7 > 0));
  const shown = [...visible.keys()].filter((point) => visible[point]);
  const all = sorted(columns, shown, "suspicious");
  for (const most of [1, 10, 500, 4000, 9999]) {
    assert.deepEqual(mostSuspicious(columns, visible, most), all.slice(0, most));
  }
  assert.deepEqual(mostSuspicious(columns, new Uint8Array(5000), 10), []);
});
