// @ts-check
// Many points as pixels: a square a point, written straight into an image, the fuller the more lie on one another.
// Ten times faster than a sprite a point, and none of it is needed where single shapes can be told apart.

/** From this many points in view on, single shapes cannot be told apart, and a sprite for each takes too long. */
export const MANY = 60_000;
const MOST_COUNTED = 255;

/**
 * @typedef {object} Field where the points lie on the canvas: x * k + left, top - y * k, in device pixels
 * @property {number} width
 * @property {number} height
 * @property {number} k
 * @property {number} left
 * @property {number} top
 * @property {number} size side of a point's square in device pixels
 */

/** "#rrggbb" or "rgb(r, g, b)" as red, green and blue, 0..255. @param {string} colour @returns {[number, number, number]} */
export function channels(colour) {
  if (colour.startsWith("#")) {
    const hex = colour.length === 4 ? colour.replace(/[^#]/g, "$&$&") : colour;
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
    this.counts = new Uint8Array(0);
    this.categories = new Uint8Array(0);
  }

  /**
   * Write the points into `image` (width * height RGBA), each pixel in the colour of the point drawn last on it.
   * @param {Uint8ClampedArray} image
   * @param {Field} field
   * @param {{ order: Uint32Array, xy: ArrayLike<number>, category: Uint8Array, wanted: Uint8Array }} points
   * @param {string[]} colours by category
   * @param {number} alpha of one point, 0..1
   * @returns how many points are in view; where they are fewer than MANY nothing is written
   */
  paint(image, field, points, colours, alpha) {
    const cells = field.width * field.height;
    if (this.counts.length !== cells) {
      this.counts = new Uint8Array(cells);
      this.categories = new Uint8Array(cells);
    } else this.counts.fill(0);
    const found = this.count(field, points);
    if (found >= MANY) this.colour(image, colours, opacities(alpha));
    return found;
  }

  /**
   * How many points are in view; how many lie on each pixel, and the category of the last one.
   * @param {Field} field
   * @param {{ order: Uint32Array, xy: ArrayLike<number>, category: Uint8Array, wanted: Uint8Array }} points
   */
  count({ width, height, k, left, top, size }, { order, xy, category, wanted }) {
    const { counts, categories } = this;
    const half = (size - 1) / 2;
    const [most, lowest] = [width - size, height - size];
    let found = 0;
    for (let place = 0; place < order.length; place++) {
      const i = order[place];
      if (!wanted[i]) continue;
      const x = Math.round(xy[2 * i] * k + left - half);
      const y = Math.round(top - xy[2 * i + 1] * k - half);
      if (!(x >= 0 && y >= 0 && x <= most && y <= lowest)) continue; // also what has no place
      const own = category[i];
      found++;
      for (let row = y * width + x, end = row + size * width; row < end; row += width) {
        for (let cell = row; cell < row + size; cell++) {
          if (counts[cell] < MOST_COUNTED) counts[cell]++;
          categories[cell] = own;
        }
      }
    }
    return found;
  }

  /** @param {Uint8ClampedArray} image @param {string[]} colours @param {Uint8Array} opacity by count */
  colour(image, colours, opacity) {
    const { counts, categories } = this;
    const pixels = new Uint32Array(image.buffer, image.byteOffset, counts.length);
    const inks = new Uint32Array(MOST_COUNTED + 1);
    colours.forEach((colour, category) => {
      const [red, green, blue] = channels(colour);
      inks[category] = (blue << 16) | (green << 8) | red; // the bytes of a pixel are red, green, blue, opacity
    });
    for (let cell = 0; cell < counts.length; cell++) {
      pixels[cell] = counts[cell] ? (opacity[counts[cell]] << 24) | inks[categories[cell]] : 0;
    }
  }
}
