// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { isLocked, markedAtFirst, sorted, summary } from "../../app/components/grid/order.js";
import { decodePoints, NONE, REAL, SYNTHETIC, TEST } from "../../app/components/scatter/points.js";

/** @typedef {import("../../app/components/scatter/points.js").Points} Points */

/**
 * As the app writes them: the length of the header, the header, padding to eight bytes, the columns.
 * @param {Record<string, Uint32Array | Float32Array | Uint8Array>} columns
 * @returns {ArrayBuffer}
 */
function encoded(columns) {
  let offset = 0;
  const described = [];
  for (const [name, values] of Object.entries(columns)) {
    const dtype = { Uint32Array: "uint32", Float32Array: "float32", Uint8Array: "uint8" }[values.constructor.name];
    described.push({ name, dtype, shape: [values.length], offset });
    offset = Math.ceil((offset + values.byteLength) / 8) * 8;
  }
  const header = new TextEncoder().encode(JSON.stringify({ n: 4, classes: ["cat", "dög"], columns: described }));
  const start = Math.ceil((4 + header.length) / 8) * 8;
  const bytes = new Uint8Array(start + offset);
  new DataView(bytes.buffer).setUint32(0, header.length, true);
  bytes.set(header, 4);
  described.forEach(({ name, offset: at }) => {
    const { buffer, byteLength } = columns[name];
    bytes.set(new Uint8Array(buffer, 0, byteLength), start + at);
  });
  return bytes.buffer;
}

/** @returns {Points} */
function points() {
  return decodePoints(
    encoded({
      origin: Uint8Array.of(TEST, REAL, SYNTHETIC, SYNTHETIC),
      ids: Uint32Array.of(7, 9, 11, 70000),
      predicted: Uint8Array.of(0, 1, 1, NONE),
      confidence: Float32Array.of(0.9, 0.25, NaN, 0.5),
    }),
  );
}

test("columns of every kind are read, behind a header that is not ASCII", () => {
  const { header, columns } = points();
  assert.deepEqual(header.classes, ["cat", "dög"]);
  assert.deepEqual([...columns.ids], [7, 9, 11, 70000]);
  assert.deepEqual([...columns.origin], [TEST, REAL, SYNTHETIC, SYNTHETIC]);
  assert.equal(columns.confidence[1], 0.25);
});

test("what has no value comes last, either way", () => {
  assert.deepEqual(sorted(points().columns, [0, 1, 2, 3], "unsure"), [1, 3, 0, 2]);
  assert.deepEqual(sorted(points().columns, [0, 1, 2, 3], "sure"), [0, 3, 1, 2]);
  assert.deepEqual(sorted(points().columns, [0, 1, 2, 3], "newest"), [3, 2, 1, 0]);
});

test("test images are locked, and never marked", () => {
  const { columns } = points();
  assert.deepEqual(
    [0, 1, 2].map((point) => isLocked(columns, point)),
    [true, false, false],
  );
  assert.deepEqual([...markedAtFirst(columns, [0, 1, 2, 3])], [2, 3]);
  assert.deepEqual([...markedAtFirst(columns, [0, 1])], [1]);
});

test("a selection in words", () => {
  assert.equal(summary(points(), [0, 1, 2, 3]), "2 synthetic · 1 real · 1 test, locked · predicted: dög (2), cat (1)");
});
