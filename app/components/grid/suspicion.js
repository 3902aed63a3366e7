// @ts-check
// How suspicious an image is, for the grid that nobody has selected anything for.

import { classOf } from "../scatter/modes.js";
import { NONE } from "../scatter/points.js";

/** @typedef {import("../scatter/points.js").Columns} Columns */

const STEPS = 1024;

/**
 * 0..1, higher = more suspicious: how far a synthetic image lies from the real ones, or how sure the prediction is that
 * contradicts the class, whichever is more. 0 where neither is known.
 * @param {Columns} columns
 * @param {number} point
 */
export function suspicion(columns, point) {
  const far = columns.ood_real[point] || 0; // NaN: not known
  const [truth, guess] = [classOf(columns, point), columns.predicted[point]];
  const contradicted = truth !== NONE && guess !== NONE && truth !== guess;
  return Math.max(far, contradicted ? columns.confidence[point] || 0 : 0);
}

/**
 * The shown points, the most suspicious first, at most so many: a million are counted by steps, only what is kept is sorted.
 * @param {Columns} columns
 * @param {Uint8Array} visible one flag a point
 * @param {number} most
 * @returns {number[]}
 */
export function mostSuspicious(columns, visible, most) {
  const counts = new Uint32Array(STEPS + 1);
  const step = new Uint16Array(visible.length);
  for (let point = 0; point < visible.length; point++) {
    if (!visible[point]) continue;
    step[point] = Math.round(suspicion(columns, point) * STEPS);
    counts[step[point]]++;
  }
  let [lowest, above] = [STEPS, 0];
  while (lowest > 0 && above + counts[lowest] < most) above += counts[lowest--];
  const [kept, last] = [/** @type {number[]} */ ([]), /** @type {number[]} */ ([])];
  for (let point = 0; point < visible.length; point++) {
    if (!visible[point] || step[point] < lowest) continue;
    if (step[point] > lowest) kept.push(point);
    else last.push(point);
  }
  return [...inOrder(columns, kept), ...inOrder(columns, last).slice(0, most - kept.length)];
}

/** @param {Columns} columns @param {number[]} points */
function inOrder(columns, points) {
  const keys = new Map(points.map((point) => [point, suspicion(columns, point)]));
  return points.sort((a, b) => Number(keys.get(b)) - Number(keys.get(a)) || a - b);
}
