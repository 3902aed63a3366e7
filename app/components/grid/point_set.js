// @ts-check
// A set of points: a flag a point, so that a million are as quick as ten.

export class PointSet {
  /** @param {number} n points that there are @param {number[]} points in the set */
  constructor(n, points) {
    this.flags = new Uint8Array(n);
    this.size = 0;
    for (const point of points) this.add(point);
  }

  /** @param {number} point */
  has(point) {
    return this.flags[point] === 1;
  }

  /** @param {number} point */
  add(point) {
    this.size += 1 - this.flags[point];
    this.flags[point] = 1;
  }

  /** @param {number} point */
  delete(point) {
    this.size -= this.flags[point];
    this.flags[point] = 0;
  }

  clear() {
    this.flags.fill(0);
    this.size = 0;
  }

  /** Ascending. */
  *[Symbol.iterator]() {
    for (let point = 0; point < this.flags.length; point++) if (this.flags[point]) yield point;
  }
}
