// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { filmOf, halved, levelFor } from "../../app/components/viewer/film.js";
import { dragged, lookupTable, plainDisplay, presets, share, spanning } from "../../app/components/viewer/levels.js";

/** @type {import("../../app/components/viewer/levels.js").Display} */
const DISPLAY = { ...plainDisplay(), bits: 12, windows: [{ center: 2000, width: 1001, fn: "LINEAR" }] };

test("DICOM's example of LINEAR: from c - 0.5 - (w-1)/2 to c - 0.5 + (w-1)/2", () => {
  const window = /** @type {const} */ ({ center: 2048, width: 4096, fn: "LINEAR" });
  assert.equal(share(0, window), 0);
  assert.equal(share(4095, window), 1);
  assert.equal(share(2047.5, window), 0.5);
  assert.equal(share(1999, { center: 2000, width: 1, fn: "LINEAR" }), 0);
  assert.equal(share(2000, { center: 2000, width: 1, fn: "LINEAR" }), 1);
});

test("the other functions go through the middle", () => {
  assert.equal(share(700, { center: 700, width: 90, fn: "SIGMOID" }), 0.5);
  assert.equal(share(700, { center: 700, width: 90, fn: "LINEAR_EXACT" }), 0.5);
  assert.equal(share(745, { center: 700, width: 90, fn: "LINEAR_EXACT" }), 1);
});

test("inverted twice is as it was", () => {
  const plain = lookupTable(DISPLAY, null);
  const film = { ...DISPLAY, inverted: true };
  assert.deepEqual(lookupTable(film, null, true), plain);
  assert.deepEqual(
    lookupTable(film, null).map((gray) => 255 - gray),
    plain,
  );
});

test("a look-up table of the file is the default, and a window replaces it", () => {
  const film = { ...DISPLAY, table: Uint8Array.of(9, 8, 7) };
  assert.deepEqual([...lookupTable(film, null).subarray(0, 5)], [9, 8, 7, 7, 7]);
  assert.deepEqual(lookupTable(film, DISPLAY.windows[0]), lookupTable(DISPLAY, null));
});

test("a rescale moves the window, not the values", () => {
  const table = lookupTable({ ...DISPLAY, slope: 2, intercept: -1000 }, null);
  assert.deepEqual([table[1500], table[1000]], [lookupTable(DISPLAY, null)[2000], 0]);
});

test("a drag to the right widens, upwards brightens, also where high is dark", () => {
  const window = DISPLAY.windows[0];
  assert.equal(dragged(window, 10, 0, 2, false).width, 1021);
  assert.equal(dragged(window, -1e6, 0, 2, false).width, 1);
  const gray = (/** @type {boolean} */ inverted) =>
    lookupTable({ ...DISPLAY, inverted }, dragged(window, 0, -50, 2, inverted))[2000];
  assert.ok(gray(false) > lookupTable(DISPLAY, null)[2000]);
  assert.ok(gray(true) > lookupTable({ ...DISPLAY, inverted: true }, null)[2000]);
});

test("the span of what is held leaves outliers out", () => {
  const values = Uint16Array.from({ length: 1000 }, (_, i) => 1000 + i);
  values[0] = 0;
  values[999] = 65535;
  const { center, width } = spanning(values, DISPLAY, 0.01);
  assert.deepEqual([center - width / 2, center + width / 2], [1010, 1989]);
});

test("presets begin with the file's own", () => {
  const two = { ...DISPLAY, windows: [...DISPLAY.windows, { ...DISPLAY.windows[0], center: 5 }] };
  assert.deepEqual(
    presets(two, DISPLAY.windows[0]).map(({ name }) => name),
    ["File", "File 2", "Contents", "Full range"],
  );
});

test("a halved copy holds the means of four, and an odd edge is left out", () => {
  const values = Uint16Array.of(0, 2, 9, 4, 6, 9, 9, 9, 9);
  assert.deepEqual(halved({ width: 3, height: 3, values }), { width: 1, height: 1, values: Uint16Array.of(3) });
});

test("copies are shown at the scale from which on they are not enlarged", () => {
  const png = { width: 2000, height: 1100, values: new Uint16Array(2000 * 1100), display: DISPLAY };
  const { levels } = filmOf(png);
  assert.deepEqual(
    levels.map(({ width, height }) => [width, height]),
    [
      [2000, 1100],
      [1000, 550],
      [500, 275],
    ],
  );
  assert.deepEqual(
    [4, 1, 0.6, 0.5, 0.3, 0.25, 0.01].map((scale) => levelFor(scale, 3)),
    [0, 0, 0, 1, 1, 2, 2],
  );
});
