// @ts-check
// Wheel, mouse, pen and fingers on the stage: the left button and one finger move the picture, the right button
// moves window and level, two fingers zoom.

import { wheelFactor } from "./placement.js";

/** @typedef {{ x: number, y: number }} Point in CSS pixels of the stage */
/**
 * @typedef {object} Gestures
 * @property {(point: Point, factor: number) => void} zoom
 * @property {(dx: number, dy: number) => void} pan
 * @property {(dx: number, dy: number) => void} level
 * @property {() => void} leveled the drag of the window has ended
 * @property {(point: Point | null) => void} hover null: gone
 * @property {() => void} fit
 */

const RIGHT = 2;

export class PointerInput {
  /**
   * @param {HTMLElement} stage
   * @param {Gestures} gestures
   */
  constructor(stage, gestures) {
    this.stage = stage;
    this.gestures = gestures;
    /** Where each pointer that is down was last. @type {Map<number, Point>} */
    this.down = new Map();
    this.leveling = false;
    stage.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    stage.addEventListener("contextmenu", (event) => event.preventDefault());
    stage.addEventListener("dblclick", () => gestures.fit());
    stage.addEventListener("pointerdown", (event) => this.onDown(event));
    stage.addEventListener("pointermove", (event) => this.onMove(event));
    stage.addEventListener("pointerup", (event) => this.onUp(event));
    stage.addEventListener("pointercancel", (event) => this.onUp(event));
    stage.addEventListener("pointerleave", () => gestures.hover(null));
  }

  /** @param {MouseEvent} event @returns {Point} */
  pointOf(event) {
    const { left, top } = this.stage.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  /** @param {WheelEvent} event */
  onWheel(event) {
    event.preventDefault();
    this.gestures.zoom(this.pointOf(event), wheelFactor(event));
  }

  /** @param {PointerEvent} event */
  onDown(event) {
    if (event.button !== 0 && event.button !== RIGHT) return;
    this.stage.setPointerCapture(event.pointerId);
    this.down.set(event.pointerId, this.pointOf(event));
    this.leveling = event.button === RIGHT;
  }

  /** @param {PointerEvent} event */
  onMove(event) {
    const { gestures, down } = this;
    const point = this.pointOf(event);
    gestures.hover(point);
    const before = down.get(event.pointerId);
    if (!before) return;
    const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
    down.set(event.pointerId, point);
    if (other) this.pinch(before, point, other);
    else if (this.leveling) gestures.level(point.x - before.x, point.y - before.y);
    else gestures.pan(point.x - before.x, point.y - before.y);
  }

  /**
   * One of two fingers has moved.
   * @param {Point} before
   * @param {Point} after
   * @param {Point} other
   */
  pinch(before, after, other) {
    const apart = (/** @type {Point} */ point) => Math.max(1, Math.hypot(point.x - other.x, point.y - other.y));
    const middle = { x: (after.x + other.x) / 2, y: (after.y + other.y) / 2 };
    this.gestures.pan((after.x - before.x) / 2, (after.y - before.y) / 2);
    this.gestures.zoom(middle, apart(after) / apart(before));
  }

  /** @param {PointerEvent} event */
  onUp(event) {
    this.down.delete(event.pointerId);
    if (this.leveling) this.gestures.leveled();
    this.leveling = false;
  }
}
