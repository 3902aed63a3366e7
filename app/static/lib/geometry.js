// @ts-check
// Points in the plane, as flat arrays x0, y0, x1, y1, ...; a point whose x is NaN has no position.

const ROWS = 256; // of a polygon, to find its edges by height

/**
 * Whether a point lies inside a polygon (even-odd rule; the last corner joins the first).
 * @param {number} x
 * @param {number} y
 * @param {ArrayLike<number>} polygon flat
 */
export function inside(x, y, polygon) {
  let odd = false;
  for (let a = 0, b = polygon.length - 2; a < polygon.length; b = a, a += 2) {
    const [xa, ya, xb, yb] = [polygon[a], polygon[a + 1], polygon[b], polygon[b + 1]];
    if (ya > y !== yb > y && x < ((xb - xa) * (y - ya)) / (yb - ya) + xa) odd = !odd;
  }
  return odd;
}

/**
 * The smallest rectangle around the points that have a position.
 * @param {ArrayLike<number>} xy flat
 */
export function bounds(xy) {
  let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < xy.length; i += 2) {
    const [x, y] = [xy[i], xy[i + 1]];
    if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
    x0 = Math.min(x0, x);
    x1 = Math.max(x1, x);
    y0 = Math.min(y0, y);
    y1 = Math.max(y1, y);
  }
  return { x0, x1, y0, y1 };
}

/**
 * Points that are `wanted` and inside a polygon, as their numbers.
 * @param {ArrayLike<number>} xy flat
 * @param {ArrayLike<number>} wanted one flag a point
 * @param {ArrayLike<number>} polygon flat
 */
export function enclosed(xy, wanted, polygon) {
  const { x0, x1, y0, y1 } = bounds(polygon);
  const rows = edgesByRow(polygon, y0, y1);
  const scale = ROWS / (y1 - y0 || 1);
  const found = [];
  for (let i = 0; i < wanted.length; i++) {
    const x = xy[2 * i];
    const y = xy[2 * i + 1];
    if (!(wanted[i] && x >= x0 && x <= x1 && y >= y0 && y <= y1)) continue;
    if (crosses(x, y, rows[Math.min(ROWS - 1, Math.floor((y - y0) * scale))])) found.push(i);
  }
  return found;
}

/**
 * The edges (xa, ya, xb, yb) of a polygon by the row of its height that they touch: a point asks only those of its own.
 * @param {ArrayLike<number>} polygon flat
 * @param {number} y0
 * @param {number} y1
 */
function edgesByRow(polygon, y0, y1) {
  /** @type {number[][]} */
  const rows = Array.from({ length: ROWS }, () => []);
  const scale = ROWS / (y1 - y0 || 1);
  for (let a = 0, b = polygon.length - 2; a < polygon.length; b = a, a += 2) {
    const edge = [polygon[a], polygon[a + 1], polygon[b], polygon[b + 1]];
    const [low, high] = [Math.min(edge[1], edge[3]), Math.max(edge[1], edge[3])];
    const last = Math.min(ROWS - 1, Math.floor((high - y0) * scale));
    for (let row = Math.floor((low - y0) * scale); row <= last; row++) rows[Math.min(row, ROWS - 1)].push(...edge);
  }
  return rows;
}

/** Whether a ray from a point to the right crosses an odd number of edges. @param {number} x @param {number} y @param {number[]} edges */
function crosses(x, y, edges) {
  let odd = false;
  for (let at = 0; at < edges.length; at += 4) {
    const [xa, ya, xb, yb] = [edges[at], edges[at + 1], edges[at + 2], edges[at + 3]];
    if (ya > y !== yb > y && x < ((xb - xa) * (y - ya)) / (yb - ya) + xa) odd = !odd;
  }
  return odd;
}

/**
 * Coordinates in a unit box around 0, to one scale on both axes. What has no place keeps NaN.
 * @param {Float32Array} raw flat
 * @returns {{ xy: Float32Array<ArrayBuffer>, width: number, height: number }} with the sides of the box that is used, at most 1
 */
export function normalise(raw) {
  const { x0, x1, y0, y1 } = bounds(raw);
  const span = Math.max(x1 - x0, y1 - y0) || 1;
  const xy = new Float32Array(raw.length);
  for (let i = 0; i < raw.length; i += 2) {
    xy[i] = (raw[i] - (x0 + x1) / 2) / span;
    xy[i + 1] = (raw[i + 1] - (y0 + y1) / 2) / span;
  }
  return { xy, width: (x1 - x0) / span || 1, height: (y1 - y0) / span || 1 };
}

/** A uniform grid over the unit box in compressed rows, cell -> points: the nearest point without asking all. */
export class PointIndex {
  /** @param {Float32Array} xy flat, in the unit box around 0 */
  constructor(xy) {
    const n = xy.length / 2;
    this.xy = xy;
    this.side = Math.max(1, Math.min(256, Math.round(Math.sqrt(n / 2))));
    this.starts = new Uint32Array(this.side * this.side + 1);
    this.points = new Uint32Array(n);
    const cells = new Int32Array(n);
    for (let i = 0; i < n; i++) {
      cells[i] = Number.isNaN(xy[2 * i]) ? -1 : this.clamp(xy[2 * i + 1]) * this.side + this.clamp(xy[2 * i]);
      if (cells[i] >= 0) this.starts[cells[i] + 1]++;
    }
    for (let cell = 0; cell < this.side * this.side; cell++) this.starts[cell + 1] += this.starts[cell];
    const next = this.starts.slice();
    for (let i = 0; i < n; i++) if (cells[i] >= 0) this.points[next[cells[i]]++] = i;
  }

  /** The row or column of a coordinate. @param {number} value */
  clamp(value) {
    return Math.max(0, Math.min(this.side - 1, Math.floor((value + 0.5) * this.side)));
  }

  /**
   * The nearest `wanted` point within `reach`; -1 without one.
   * @param {number} x
   * @param {number} y
   * @param {number} reach
   * @param {ArrayLike<number>} wanted one flag a point
   */
  nearest(x, y, reach, wanted) {
    let best = -1;
    let least = reach * reach;
    for (let row = this.clamp(y - reach); row <= this.clamp(y + reach); row++) {
      const from = this.starts[row * this.side + this.clamp(x - reach)];
      const to = this.starts[row * this.side + this.clamp(x + reach) + 1];
      for (let place = from; place < to; place++) {
        const i = this.points[place];
        const distance = (this.xy[2 * i] - x) ** 2 + (this.xy[2 * i + 1] - y) ** 2;
        if (!wanted[i] || distance >= least) continue;
        least = distance;
        best = i;
      }
    }
    return best;
  }
}
