// @ts-check
// The pointer on the plot: lasso, box, moving, zooming by wheel. It knows pixels, and nothing of points.

const MIN_STEP = 2; // CSS pixels between two corners of a lasso
const WHEEL = 0.0016;

/** @typedef {[number, number]} Place CSS pixels from the upper left */
/** @typedef {"lasso" | "box" | "move"} Tool */
/** @typedef {{ kind: "pan" | "box" | "lasso", from: Place, add: boolean }} Drag */
/**
 * @typedef {object} Listeners
 * @property {() => boolean} ready whether there is something to point at
 * @property {(place: Place | null) => void} hovered null: the pointer has left
 * @property {() => void} panStarted
 * @property {(dx: number, dy: number) => void} panned since the start, in CSS pixels
 * @property {() => void} drawn the loop has another corner, or is gone
 * @property {(loop: Place[], add: boolean) => void} enclosed a loop was closed; a click is one of fewer than 3 corners
 * @property {(factor: number, place: Place) => boolean} zoomed whether it did zoom
 */

export class Pointer {
  /**
   * @param {HTMLElement} surface
   * @param {Listeners} listeners
   */
  constructor(surface, listeners) {
    this.surface = surface;
    this.listeners = listeners;
    /** @type {Tool} */
    this.tool = "lasso";
    /** @type {Drag | null} */
    this.drag = null;
    /** The loop as drawn so far. @type {Place[] | null} */
    this.path = null;
    surface.addEventListener("pointerdown", (event) => this.down(event));
    surface.addEventListener("pointermove", (event) => this.move(event));
    surface.addEventListener("pointerup", () => this.release(true));
    surface.addEventListener("pointercancel", () => this.release(false));
    surface.addEventListener("pointerleave", () => {
      if (!this.drag) listeners.hovered(null);
    });
    surface.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  /** @param {MouseEvent} event @returns {Place} */
  placeOf(event) {
    const { left, top } = this.surface.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  }

  /** @param {PointerEvent} event */
  down(event) {
    const pan = event.button === 1 || (event.button === 0 && this.tool === "move");
    if (!this.listeners.ready() || (!pan && event.button !== 0)) return;
    event.preventDefault();
    this.surface.setPointerCapture(event.pointerId);
    this.listeners.hovered(null);
    const from = this.placeOf(event);
    const kind = pan ? "pan" : this.tool === "box" || event.shiftKey ? "box" : "lasso";
    this.drag = { kind, from, add: event.ctrlKey || event.metaKey };
    this.path = pan ? null : [from];
    if (pan) this.listeners.panStarted();
  }

  /** @param {PointerEvent} event */
  move(event) {
    const [x, y] = this.placeOf(event);
    if (!this.drag) {
      if (this.listeners.ready()) this.listeners.hovered([x, y]);
      return;
    }
    const { kind, from } = this.drag;
    if (kind === "pan") {
      this.listeners.panned(x - from[0], y - from[1]);
      return;
    }
    if (kind === "box") this.path = [from, [x, from[1]], [x, y], [from[0], y]];
    else this.follow(event);
    this.listeners.drawn();
  }

  /** Every place the pointer was, also those that the browser merged into one event a frame. @param {PointerEvent} event */
  follow(event) {
    const merged = event.getCoalescedEvents();
    for (const each of merged.length ? merged : [event]) {
      const [x, y] = this.placeOf(each);
      const last = this.path?.at(-1);
      if (last && Math.hypot(x - last[0], y - last[1]) >= MIN_STEP) this.path?.push([x, y]);
    }
  }

  /** End the drag; `keep` false forgets what was drawn. @param {boolean} keep */
  release(keep) {
    if (!this.drag) return;
    const { kind, add } = this.drag;
    const loop = this.path;
    this.drag = null;
    this.path = null;
    this.listeners.drawn();
    if (keep && kind !== "pan" && loop) this.listeners.enclosed(loop, add);
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    // Fully zoomed out the page scrolls on.
    if (!this.listeners.ready() || !this.listeners.zoomed(Math.exp(-event.deltaY * WHEEL), this.placeOf(event))) return;
    event.preventDefault();
  }
}
