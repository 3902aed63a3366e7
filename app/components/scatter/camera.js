// @ts-check
// Which part of the unit box is seen, and how large: the box's y points up, the screen's points down.

const FILL = 0.93;
const LEAST_ZOOM = 0.8;
const MOST_ZOOM = 200;

/** @typedef {{ x: number, y: number, k: number }} View the place in the middle, and CSS pixels a unit */

export class Camera {
  constructor() {
    this.width = 0;
    this.height = 0;
    /** The `k` at which the whole box is seen. */
    this.fitted = 1;
    /** @type {View} */
    this.view = { x: 0, y: 0, k: 1 };
  }

  /** @param {{ width: number, height: number }} box */
  scaleOf(box) {
    return FILL * Math.min(this.width / box.width, this.height / box.height);
  }

  /** See the whole box. @param {{ width: number, height: number }} box */
  fit(box) {
    this.fitted = this.scaleOf(box);
    this.view = { x: 0, y: 0, k: this.fitted };
  }

  /**
   * Another size in CSS pixels; what was seen stays in the middle at the same zoom.
   * @param {number} width
   * @param {number} height
   * @param {{ width: number, height: number } | undefined} box
   */
  resize(width, height, box) {
    const had = Math.min(this.width, this.height) > 0;
    this.width = width;
    this.height = height;
    if (!had || !box) return;
    const zoom = this.view.k / this.fitted;
    this.fitted = this.scaleOf(box);
    this.view.k = this.fitted * zoom;
  }

  /** @param {number} x @param {number} y @returns {[number, number]} CSS pixels from the upper left */
  toScreen(x, y) {
    const { view } = this;
    return [(x - view.x) * view.k + this.width / 2, (view.y - y) * view.k + this.height / 2];
  }

  /** @param {number} px @param {number} py @returns {[number, number]} */
  toWorld(px, py) {
    const { view } = this;
    return [(px - this.width / 2) / view.k + view.x, view.y - (py - this.height / 2) / view.k];
  }

  /** Zoom; what lies under (px, py) stays there. @param {number} factor @param {number} px @param {number} py */
  zoom(factor, px = this.width / 2, py = this.height / 2) {
    const { view } = this;
    const k = Math.max(this.fitted * LEAST_ZOOM, Math.min(this.fitted * MOST_ZOOM, view.k * factor));
    view.x += (px - this.width / 2) * (1 / view.k - 1 / k);
    view.y -= (py - this.height / 2) * (1 / view.k - 1 / k);
    view.k = k;
  }

  /** Whether it cannot be zoomed out any further. */
  get widest() {
    return this.view.k <= this.fitted * (LEAST_ZOOM + 0.01);
  }

  /**
   * The radius of a point in CSS pixels: smaller where there are many, larger when zoomed in.
   * @param {number} n points
   */
  radius(n) {
    const bySize = Math.max(1.7, Math.min(4.4, 7.2 - 1.1 * Math.log10(Math.max(n, 10))));
    return Math.round(Math.min(8, bySize * (this.view.k / this.fitted) ** 0.3) * 4) / 4;
  }
}
