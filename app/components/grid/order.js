// @ts-check
// Which images come first in the grid, which are marked at first, and what they are in words.

import { count, number } from "../../static/lib/words.js";
import { NONE, REAL, SYNTHETIC, TEST } from "../scatter/points.js";
import { PointSet } from "./point_set.js";
import { suspicion } from "./suspicion.js";

/** @typedef {import("../scatter/points.js").Columns} Columns */
/** @typedef {import("../scatter/points.js").Points} Points */

const PREDICTIONS_NAMED = 3;

/** What is sorted by, smallest first. @type {Record<string, (columns: Columns, point: number) => number>} */
const KEYS = {
  suspicious: (columns, point) => -suspicion(columns, point),
  unsure: (columns, point) => columns.confidence[point],
  sure: (columns, point) => -columns.confidence[point],
  far_real: (columns, point) => -columns.ood_real[point],
  far_synthetic: (columns, point) => -columns.ood_synthetic[point],
};

/**
 * Points in the order asked for, "given" leaves them as they are; those without a value come last.
 * @param {Columns} columns
 * @param {number[]} points
 * @param {string} by
 */
export function sorted(columns, points, by) {
  if (by === "given") return points;
  const ascending = Uint32Array.from(points).sort();
  if (by === "newest") return Array.from(ascending.reverse()); // ids ascend with the points
  const keys = new Float32Array(columns.ids.length);
  for (const point of points) {
    const key = KEYS[by](columns, point);
    keys[point] = Number.isNaN(key) ? Infinity : key;
  }
  return Array.from(ascending.sort((a, b) => (keys[a] === keys[b] ? a - b : keys[a] - keys[b])));
}

/**
 * Whether nothing may be said of this image: it measures the models.
 * @param {Columns} columns
 * @param {number} point
 */
export function isLocked(columns, point) {
  return columns.origin[point] === TEST;
}

/**
 * What is marked at first: the synthetic images, or else whatever may be labeled.
 * @param {Columns} columns
 * @param {number[]} points
 */
export function markedAtFirst(columns, points) {
  const synthetic = points.filter((point) => columns.origin[point] === SYNTHETIC);
  const meant = synthetic.length ? synthetic : points.filter((point) => !isLocked(columns, point));
  return new PointSet(columns.ids.length, meant);
}

/** How many. @param {number[]} points */
export function title(points) {
  return points.length ? count(points.length, "image") : "Selected images";
}

/**
 * How many of each origin, and what most of them were predicted as.
 * @param {Points} data
 * @param {number[]} points
 */
export function summary({ columns, header }, points) {
  const origins = [0, 0, 0];
  const guesses = new Uint32Array(NONE + 1);
  for (const point of points) {
    origins[columns.origin[point]]++;
    guesses[columns.predicted[point]]++;
  }
  const parts = [];
  if (origins[SYNTHETIC]) parts.push(`${number(origins[SYNTHETIC])} synthetic`);
  if (origins[REAL]) parts.push(`${number(origins[REAL])} real`);
  if (origins[TEST]) parts.push(`${number(origins[TEST])} test, locked`);
  const guessed = [...guesses.subarray(0, NONE).entries()].filter(([, n]) => n);
  const top = guessed.sort((a, b) => b[1] - a[1]).slice(0, PREDICTIONS_NAMED);
  const named = top.map(([index, n]) => `${header.classes[index]} (${number(n)})`);
  if (named.length) parts.push(`predicted: ${named.join(", ")}`);
  return parts.join(" · ");
}
