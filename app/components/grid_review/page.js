// @ts-check
// A page of images as the columns of the grid, and which of them one key accepts.

import { count } from "../../static/lib/words.js";
import { LABELED, NONE, REAL, REJECTED, SYNTHETIC, TEST, UNREVIEWED, UNSURE } from "../scatter/points.js";

/** @typedef {import("../../static/lib/types.js").Item} Item */
/** @typedef {import("../scatter/points.js").Points} Points */

export const PAGE = 100;
const STATES = { class: LABELED, reject: REJECTED, unsure: UNSURE };

/**
 * @param {Item[]} items
 * @param {string[]} classes
 * @returns {Points}
 */
export function columnsOf(items, classes) {
  const bytes = (/** @type {(item: Item) => number} */ of) => Uint8Array.from(items, of);
  const figures = new Float32Array(items.length).fill(Number.NaN);
  return {
    header: {
      n: items.length,
      classes,
      model: "",
      model_id: items[0]?.model_id ?? null,
      scored_at: "",
      umap_placed: 0,
      ood_method: "",
    },
    columns: {
      ids: Uint32Array.from(items, ({ image_id }) => image_id),
      pca: figures,
      umap: figures,
      ood_real: figures,
      ood_synthetic: figures,
      origin: bytes(({ origin, split }) => (origin === "synthetic" ? SYNTHETIC : split === "test" ? TEST : REAL)),
      label: bytes(({ label_class }) => label_class ?? NONE),
      prompted: bytes(({ prompted_class }) => prompted_class ?? NONE),
      predicted: bytes(({ predicted_class }) => predicted_class ?? NONE),
      state: bytes(({ label_value }) => (label_value ? STATES[label_value] : UNREVIEWED)),
      confidence: Float32Array.from(items, ({ confidence }) => confidence ?? Number.NaN),
    },
  };
}

/**
 * The images to accept: those with a prediction, without an answer, not marked, and not in the test split.
 * @param {Points} data
 * @param {Set<number>} marked
 */
export function restOf({ columns }, marked) {
  const { state, predicted, origin } = columns;
  const points = [...columns.ids.keys()];
  return points.filter(
    (point) => !marked.has(point) && state[point] === UNREVIEWED && predicted[point] !== NONE && origin[point] !== TEST,
  );
}

/**
 * "Page 2 of 12 · cat 60 · dog 40"
 * @param {Points} data
 * @param {number} page 0-based
 * @param {number} pages
 */
export function pageWords({ header, columns }, page, pages) {
  const counts = header.classes.map((name, index) => ({
    name,
    n: columns.predicted.filter((each) => each === index).length,
  }));
  const named = counts.filter(({ n }) => n).map(({ name, n }) => `${name} ${n}`);
  return [`Page ${page + 1} of ${pages}`, count(header.n, "image"), ...named].join(" · ");
}
