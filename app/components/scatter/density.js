// @ts-check
// Many points as pixels: a square a point, written straight into an image, the fuller the more lie on one another.
// Ten times faster than a sprite a point, and none of it is needed where single shapes can be told apart.

/** From this many points in view on, single shapes cannot be told apart, and a sprite for each takes too long. */
export const MANY = 60_000;
/** From this many points in view on, squares are drawn while the view moves. */
const MANY_MOVING = 15_000;
/** From this many points in view on, squares are drawn of a part of the points, the selected ones or the others. */
const MANY_OF_PART = 8_000;
/** So many points at most are drawn while the view moves: a sample, every one of which stands for several. */
export const MOST_MOVING = 150_000;
const MOST_COUNTED = 255;
const ONE = 256; // a point more in a cell
const COUNT = ~255;

/**
 * @typedef {object} Field where the points lie on the canvas: x * k + left, top - y * k, in device pixels
 * @property {number} width
 * @property {number} height
 * @property {number} k
 * @property {number} left
 * @property {number} top
 * @property {number} size side of a point's square in device pixels
 */

/**
 * @typedef {object} Marks
 * @property {Uint32Array} order the points in drawing order
 * @property {ArrayLike<number>} xy flat
 * @property {Uint8Array} category one a point
 * @property {Uint8Array} wanted one flag a point
 */

/** Every how manieth point is drawn. @param {number} n points @param {boolean} moving whether the view moves */
export function sampling(n, moving) {
  return moving ? Math.max(1, Math.ceil(n / MOST_MOVING)) : 1;
}

/** "#rrggbb" or "rgb(r, g, b)" as red, green and blue, 0..255. @param {string} colour @returns {[number, number, number]} */
export function channels(colour) {
  if (colour.startsWith("#")) {
    const hex = colour.length === 4 ? colour.replace(/[^#]/g, (digit) => digit + digit) : colour;
    const part = (/** @type {number} */ at) => Number.parseInt(hex.slice(at, at + 2), 16);
    return [part(1), part(3), part(5)];
  }
  const parts = colour.match(/[\d.]+/g) ?? [];
  return [Number(parts[0] ?? 0), Number(parts[1] ?? 0), Number(parts[2] ?? 0)];
}

/** Opacity 0..255 by how many points lie on a pixel. @param {number} alpha of one point, 0..1 */
export function opacities(alpha) {
  return Uint8Array.from({ length: MOST_COUNTED + 1 }, (_, count) => Math.round(255 * (1 - (1 - alpha) ** count)));
}

export class Density {
  constructor() {
    /** How many points lie on each pixel, times 256, and the category of the last one: one number, one look-up. */
    this.cells = new Uint32Array(0);
  }

  /**
   * Write the points into `image` (width * height RGBA), each pixel in the colour of the point drawn last on it.
   * @param {Uint8ClampedArray} image
   * @param {Field} field
   * @param {Marks} marks
   * @param {string[]} colours by category
   * @param {number} alpha of one point, 0..1
   * @param {{ part?: boolean, moving?: boolean }} [options] `part`: these are only the selected points, or only the
   *   others; `moving`: the view moves, so that a sample of the points will do
   * @returns whether anything was written; where few points are in view nothing is
   */
  paint(image, field, marks, colours, alpha, { part = false, moving = false } = {}) {
    const least = part ? MANY_OF_PART : moving ? MANY_MOVING : MANY;
    const step = sampling(marks.order.length, moving);
    let found = this.count(field, marks, step);
    if (step > 1 && found < MANY) found = this.count(field, marks, 1); // zoomed in: there is time for all of them
    if (found >= least) this.colour(image, colours, opacities(alpha));
    return found >= least;
  }

  /**
   * @param {Field} field
   * @param {Marks} marks
   * @param {number} step every how manieth point is counted, each for so many
   * @returns about how many points are in view
   */
  count({ width, height, k, left, top, size }, { order, xy, category, wanted }, step) {
    if (this.cells.length === width * height) this.cells.fill(0);
    else this.cells = new Uint32Array(width * height);
    const { cells } = this;
    const more = step * ONE;
    const [dx, dy] = [left - size / 2 + 0.5, top - size / 2 + 0.5]; // to the nearest pixel
    const [most, lowest] = [width - size + 1, height - size + 1];
    let found = 0;
    for (let place = 0; place < order.length; place += step) {
      const i = order[place];
      if (!wanted[i]) continue;
      const x = xy[2 * i] * k + dx;
      const y = dy - xy[2 * i + 1] * k;
      if (!(x >= 0 && y >= 0 && x < most && y < lowest)) continue; // also what has no place
      const own = category[i];
      found++;
      let cell = (y | 0) * width + (x | 0);
      for (let row = 0; row < size; row++, cell += width - size) {
        for (let column = 0; column < size; column++, cell++) cells[cell] = ((cells[cell] & COUNT) + more) | own;
      }
    }
    return found * step;
  }

  /** @param {Uint8ClampedArray} image @param {string[]} colours @param {Uint8Array} opacity by count */
  colour(image, colours, opacity) {
    const { cells } = this;
    const pixels = new Uint32Array(image.buffer, image.byteOffset, cells.length);
    const inks = new Uint32Array(ONE);
    colours.forEach((colour, category) => {
      const [red, green, blue] = channels(colour);
      inks[category] = (blue << 16) | (green << 8) | red; // the bytes of a pixel are red, green, blue, opacity
    });
    for (let at = 0; at < cells.length; at++) {
      const count = cells[at] >>> 8;
      pixels[at] = count ? (opacity[Math.min(count, MOST_COUNTED)] << 24) | inks[cells[at] & 255] : 0;
    }
  }
}
