// @ts-check
// The points as /data/points sends them: a JSON header, then typed columns (see points.py), laid over without copying.

/** No class, no prediction. */
export const NONE = 255;
/** Values of the column `origin`. */
export const [REAL, TEST, SYNTHETIC] = [0, 1, 2];
/** Values of the column `state`. */
export const [UNREVIEWED, LABELED, REJECTED, UNSURE] = [0, 1, 2, 3];
/** The state that a label gives. */
export const STATE_OF = { class: LABELED, reject: REJECTED, unsure: UNSURE };
export const ORIGINS = ["real, training", "real, test", "synthetic"];
export const STATES = ["not reviewed", "labeled", "rejected", "unsure"];

/** How distances were measured (synthaug.measures.ood). */
export const METHODS = /** @type {Record<string, string>} */ ({
  knn: "nearest neighbours",
  mahalanobis: "Mahalanobis",
  energy: "energy",
  "max-softmax": "max-softmax",
});

/** @typedef {{ n: number, classes: string[], model: string, model_id: number | null, scored_at: string, ood_method: string, umap_placed: number, facets?: object[] }} Header */
/**
 * One value a point, except the flat coordinates. Class columns hold class indices or NONE, figures may be NaN.
 * @typedef {object} Columns
 * @property {Uint32Array} ids
 * @property {Float32Array} pca
 * @property {Float32Array} umap
 * @property {Uint8Array} origin
 * @property {Uint8Array} label
 * @property {Uint8Array} prompted
 * @property {Uint8Array} predicted
 * @property {Uint8Array} state
 * @property {Float32Array} confidence
 * @property {Float32Array} ood_real
 * @property {Float32Array} ood_synthetic
 */
/** @typedef {{ header: Header, columns: Columns }} Points */

/** @type {Record<string, typeof Uint32Array | typeof Float32Array | typeof Uint16Array | typeof Uint8Array>} */
const TYPES = { uint32: Uint32Array, float32: Float32Array, uint16: Uint16Array, uint8: Uint8Array };

/**
 * @param {ArrayBuffer} buffer
 * @returns {Points}
 */
export function decodePoints(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const start = Math.ceil((4 + length) / 8) * 8;
  /** @type {Record<string, Uint32Array | Float32Array | Uint16Array | Uint8Array>} */
  const columns = {};
  for (const { name, dtype, shape, offset } of header.columns) {
    const size = shape.reduce((/** @type {number} */ a, /** @type {number} */ b) => a * b, 1);
    columns[name] = new TYPES[dtype](buffer, start + offset, size);
  }
  return { header, columns: /** @type {any} */ (columns) };
}
