// @ts-check
// The images that the arrow keys walk through: a list of ids and the place in it.

export class Walk {
  constructor() {
    /** @type {ArrayLike<number>} */
    this.ids = [];
    this.place = -1;
  }

  /** Another list; it holds from the next `stand` on. @param {ArrayLike<number>} ids */
  along(ids) {
    this.ids = ids;
    this.place = -1;
  }

  /** Stand at this image; at none where the list lacks it. @param {number} id */
  stand(id) {
    this.place = Array.prototype.indexOf.call(this.ids, id);
  }

  /** The image `step` places on; null beyond the ends, or where one stands at none. @param {number} step */
  at(step) {
    return this.place < 0 ? null : (this.ids[this.place + step] ?? null);
  }

  /** "3 of 120"; "" where one stands at none. */
  get words() {
    return this.place < 0 ? "" : `${(this.place + 1).toLocaleString("en")} of ${this.ids.length.toLocaleString("en")}`;
  }
}
