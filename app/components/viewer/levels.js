// @ts-check
// Window and level: which gray a stored value is shown as (DICOM PS3.3 C.11.2.1.2 and .3). The same table as
// synthaug/grayscale.py makes; a test holds the two together.

/** @typedef {"LINEAR" | "LINEAR_EXACT" | "SIGMOID"} WindowFunction */
/** @typedef {{ center: number, width: number, fn: WindowFunction }} Window in rescaled values */
/**
 * How a gray image is shown. Rescaled value = slope * stored value + intercept.
 * @typedef {object} Display
 * @property {number} bits
 * @property {Window[]} windows at least one; the first is the default
 * @property {number} slope
 * @property {number} intercept
 * @property {boolean} inverted high values are dark
 * @property {Uint8Array} table stored value -> 0..255 before the inversion, the default where it is not empty
 */
/** @typedef {{ name: string, window: Window | null }} Preset null: the default */

export const VALUES = 65_536;
const MOST_DIGITS = 6;

/**
 * Black at 0, white at the largest value of so many bits.
 * @param {number} bits
 * @returns {Window}
 */
export function fullRange(bits) {
  return { center: (2 ** bits - 1) / 2, width: 2 ** bits - 1, fn: "LINEAR_EXACT" };
}

/**
 * What an image of 8 bits a channel is shown with.
 * @returns {Display}
 */
export function plainDisplay() {
  return { bits: 8, windows: [fullRange(8)], slope: 1, intercept: 0, inverted: false, table: new Uint8Array() };
}

/**
 * A rescaled value -> 0 (black) .. 1 (white).
 * @param {number} value
 * @param {Window} window
 */
export function share(value, { center, width, fn }) {
  if (fn === "SIGMOID") return 1 / (1 + Math.exp((-4 * (value - center)) / width));
  const [middle, span] = fn === "LINEAR" ? [center - 0.5, width - 1] : [center, width];
  if (span <= 0) return value > middle ? 1 : 0;
  return Math.min(1, Math.max(0, (value - middle) / span + 0.5));
}

/**
 * What each stored value looks like, 0 black .. 255 white.
 * @param {Display} display
 * @param {Window | null} window null: the default of the file
 * @param {boolean} inverted once more than the file says
 */
export function lookupTable(display, window, inverted = false) {
  const table = new Uint8Array(VALUES);
  const { slope, intercept, table: given } = display;
  const byTable = window === null && given.length > 0;
  const used = window ?? display.windows[0];
  const flip = display.inverted !== inverted;
  for (let value = 0; value < VALUES; value++) {
    const gray = byTable
      ? given[Math.min(value, given.length - 1)]
      : Math.floor(255 * share(slope * value + intercept, used) + 0.5);
    table[value] = flip ? 255 - gray : gray;
  }
  return table;
}

/**
 * The window after a drag: to the right wider, upwards brighter.
 * @param {Window} window
 * @param {number} dx screen pixels
 * @param {number} dy screen pixels, downwards
 * @param {number} step rescaled values a pixel
 * @param {boolean} inverted whether high values are dark
 * @returns {Window}
 */
export function dragged({ center, width, fn }, dx, dy, step, inverted) {
  return { center: center + (inverted ? -dy : dy) * step, width: Math.max(1, width + dx * step), fn };
}

/**
 * The rescaled values that lie between black and white of a share of all stored values: the rest are outliers.
 * @param {ArrayLike<number>} values stored
 * @param {Display} display
 * @param {number} outliers share left out at each end
 * @returns {Window}
 */
export function spanning(values, { slope, intercept }, outliers = 0.005) {
  const counts = new Uint32Array(VALUES);
  for (let i = 0; i < values.length; i++) counts[values[i]]++;
  const left = Math.floor(outliers * values.length);
  const low = slope * edge(counts, left, 0, 1) + intercept;
  const high = slope * edge(counts, left, VALUES - 1, -1) + intercept;
  return { center: (low + high) / 2, width: Math.max(1, Math.abs(high - low)), fn: "LINEAR_EXACT" };
}

/**
 * The first value, from one end on, beyond which more than `left` are counted.
 * @param {Uint32Array} counts
 * @param {number} left
 * @param {number} from
 * @param {1 | -1} step
 */
function edge(counts, left, from, step) {
  let value = from;
  for (let seen = counts[value]; seen <= left; seen += counts[value]) value += step;
  return value;
}

/**
 * What can be chosen for an image: what the file says, all it can hold, what it does hold.
 * @param {Display} display
 * @param {Window} held
 * @returns {Preset[]}
 */
export function presets(display, held) {
  const { bits, slope, intercept, windows, table } = display;
  const own = windows.slice(table.length ? 0 : 1).map((window, index) => ({ name: `File ${index + 2}`, window }));
  const all = { ...fullRange(bits), width: Math.abs(slope) * (2 ** bits - 1) };
  all.center = slope * all.center + intercept;
  return [
    { name: "File", window: null },
    ...own,
    { name: "Contents", window: held },
    { name: "Full range", window: all },
  ];
}

/** A number as it stands in a field: short, and read back as nearly the same. @param {number} value */
export function shortNumber(value) {
  return String(Number(value.toPrecision(MOST_DIGITS)));
}
