// @ts-check
// Both distances of a synthetic image read in a word: four quadrants and their two thresholds.
// The words and the usual thresholds are those of synthaug.measures.quality.read_ood.

/** @typedef {"artefact" | "coverage" | "redundant" | "typical"} Quadrant */
/** @typedef {{ far: number, sparse: number }} Thresholds ranks 0..1: far from real, far from other synthetic images */

/** @type {Thresholds} */
export const USUAL = { far: 0.95, sparse: 0.75 };

/** In reading order of the plane: upper row, lower row. @type {{ key: Quadrant, name: string, hint: string }[]} */
export const QUADRANTS = [
  { key: "coverage", name: "New coverage", hint: "Near real images, where few synthetic ones are: keep" },
  {
    key: "artefact",
    name: "Artefact",
    hint: "Unlike real images and unlike the other synthetic ones: look, then reject",
  },
  { key: "typical", name: "Typical", hint: "Near real images and among many synthetic ones: one more of the same" },
  {
    key: "redundant",
    name: "Redundant",
    hint: "Unlike real images, and one of many alike: the generator repeats itself beside the data",
  },
];

/**
 * A rank that equals a threshold is beyond it, and it does so as the columns have it: with 32 bits.
 * @param {number} real distance to real images, 32 bits
 * @param {number} synthetic distance to other synthetic images, 32 bits
 * @param {Thresholds} thresholds
 * @returns {Quadrant | null} null where a distance is not known
 */
export function quadrantOf(real, synthetic, { far, sparse }) {
  if (Number.isNaN(real) || Number.isNaN(synthetic)) return null;
  const isSparse = synthetic >= Math.fround(sparse);
  if (real >= Math.fround(far)) return isSparse ? "artefact" : "redundant";
  return isSparse ? "coverage" : "typical";
}

/**
 * The wanted points of every quadrant.
 * @param {{ ood_real: Float32Array, ood_synthetic: Float32Array }} columns
 * @param {Thresholds} thresholds
 * @param {ArrayLike<number>} wanted one flag a point
 */
export function byQuadrant({ ood_real, ood_synthetic }, thresholds, wanted) {
  /** @type {Record<Quadrant, number[]>} */
  const found = { artefact: [], coverage: [], redundant: [], typical: [] };
  for (let i = 0; i < ood_real.length; i++) {
    const quadrant = wanted[i] ? quadrantOf(ood_real[i], ood_synthetic[i], thresholds) : null;
    if (quadrant) found[quadrant].push(i);
  }
  return found;
}

/** A threshold as it may be, with two decimals. @param {number} value */
export function threshold(value) {
  return Number.isFinite(value) ? Math.round(100 * Math.max(0, Math.min(1, value))) / 100 : null;
}
