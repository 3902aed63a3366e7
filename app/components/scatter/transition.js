// @ts-check
// The move of all points from one projection to the other.

const MILLISECONDS = 420;
const MOST_MOVING = 40_000;

/** @typedef {import("./camera.js").View} View */

/** Whether so many points are moved at all: not where a person wants no motion. @param {number} n */
export function moves(n) {
  return n <= MOST_MOVING && !matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/**
 * Coordinates between two placements.
 * @param {Float32Array} from
 * @param {Float32Array} to
 * @param {number} t 0..1
 * @param {Float32Array} into
 */
export function between(from, to, t, into) {
  for (let i = 0; i < into.length; i++) into[i] = from[i] + (to[i] - from[i]) * t;
}

/**
 * @param {View} from
 * @param {View} to
 * @param {number} t 0..1
 * @returns {View}
 */
export function viewBetween(from, to, t) {
  return { x: from.x + (to.x - from.x) * t, y: from.y + (to.y - from.y) * t, k: from.k + (to.k - from.k) * t };
}

/**
 * Call `step` with 0..1, slowing down towards the end, on every frame; then `done`.
 * @param {(t: number) => void} step
 * @param {() => void} done
 */
export function animate(step, done) {
  const began = performance.now();
  /** @param {number} now */
  const frame = (now) => {
    const passed = (now - began) / MILLISECONDS;
    if (passed >= 1) return done();
    step(1 - (1 - Math.max(0, passed)) ** 3);
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}
