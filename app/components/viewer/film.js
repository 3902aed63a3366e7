// @ts-check
// A gray image of 16 bits in the browser, with the halved copies that it is shown from when it is made small.

import { spanning } from "./levels.js";

/** @typedef {import("./levels.js").Display} Display */
/** @typedef {import("./levels.js").Window} Window */
/** @typedef {{ width: number, height: number, values: Uint16Array }} Level */
/**
 * @typedef {object} Film
 * @property {number} width pixels
 * @property {number} height pixels
 * @property {Level[]} levels as it is, then each half as large as the one before
 * @property {Display} display
 * @property {Window} held what its values span
 */

const SMALLEST_SIDE = 256;

/**
 * @param {import("./gray_png.js").GrayPng} png
 * @returns {Film}
 */
export function filmOf({ width, height, values, display }) {
  const levels = [{ width, height, values }];
  for (let last = levels[0]; Math.min(last.width, last.height) >= 2 * SMALLEST_SIDE; last = levels[levels.length - 1]) {
    levels.push(halved(last));
  }
  return { width, height, levels, display, held: spanning(levels[levels.length - 1].values, display) };
}

/**
 * Half as wide and high, each pixel the mean of four; an odd last row or column is left out.
 * @param {Level} level
 * @returns {Level}
 */
export function halved({ width, height, values }) {
  const half = { width: width >> 1, height: height >> 1, values: new Uint16Array((width >> 1) * (height >> 1)) };
  for (let y = 0; y < half.height; y++) {
    let from = 2 * y * width;
    const to = y * half.width;
    for (let x = 0; x < half.width; x++, from += 2) {
      const sum = values[from] + values[from + 1] + values[from + width] + values[from + width + 1];
      half.values[to + x] = (sum + 2) >> 2;
    }
  }
  return half;
}

/**
 * Which copy to show at a scale: the smallest that is not enlarged.
 * @param {number} scale device pixels a picture pixel
 * @param {number} count of copies
 */
export function levelFor(scale, count) {
  return Math.max(0, Math.min(count - 1, Math.floor(-Math.log2(scale))));
}
