// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { bounds, enclosed, inside, normalise, PointIndex } from "../../app/static/lib/geometry.js";

/** A repeatable sequence of numbers in 0..1 (Park and Miller's generator). @param {number} seed */
function numbers(seed) {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

test("the even-odd rule leaves the notch of a U outside", () => {
  const u = [0, 0, 3, 0, 3, 3, 2, 3, 2, 1, 1, 1, 1, 3, 0, 3];
  assert.equal(inside(0.5, 2, u), true);
  assert.equal(inside(1.5, 2, u), false);
  assert.equal(inside(1.5, 0.5, u), true);
  assert.equal(inside(4, 0.5, u), false);
});

test("a circle's polygon holds what lies within the radius", () => {
  const circle = Array.from({ length: 720 }, (_, i) =>
    i % 2 ? Math.sin((i - 1) * (Math.PI / 360)) : Math.cos(i * (Math.PI / 360)),
  );
  const next = numbers(7);
  for (let i = 0; i < 500; i++) {
    const [x, y] = [3 * next() - 1.5, 3 * next() - 1.5];
    const radius = Math.hypot(x, y);
    if (Math.abs(radius - 1) > 0.001) assert.equal(inside(x, y, circle), radius < 1);
  }
});

test("what has no place is in no rectangle and no lasso", () => {
  assert.deepEqual(bounds([NaN, NaN, 1, 2, -1, 5]), { x0: -1, x1: 1, y0: 2, y1: 5 });
  assert.deepEqual(enclosed([NaN, NaN, 1, 1, 9, 9], [1, 1, 1], [0, 0, 2, 0, 2, 2, 0, 2]), [1]);
  assert.deepEqual(enclosed([1, 1], [0], [0, 0, 2, 0, 2, 2, 0, 2]), []);
});

test("both axes keep one scale, in a box around 0", () => {
  const { xy, width, height } = normalise(new Float32Array([10, 0, 14, 1, NaN, NaN]));
  assert.deepEqual([...xy.slice(0, 4)], [-0.5, -0.125, 0.5, 0.125]);
  assert.ok(Number.isNaN(xy[4]));
  assert.deepEqual([width, height], [1, 0.25]);
});

test("a single point does not divide by zero", () => {
  assert.deepEqual(normalise(new Float32Array([3, 4])), { xy: new Float32Array([0, 0]), width: 1, height: 1 });
});

test("the index finds the nearest point that a search of all finds", () => {
  const next = numbers(3);
  const xy = Float32Array.from({ length: 4000 }, () => next() - 0.5);
  const wanted = Uint8Array.from({ length: 2000 }, (_, i) => (i % 3 ? 1 : 0));
  const index = new PointIndex(xy);
  for (let round = 0; round < 300; round++) {
    const [x, y, reach] = [next() * 1.2 - 0.6, next() * 1.2 - 0.6, 0.03 * next()];
    let best = -1;
    let least = reach * reach;
    for (let i = 0; i < 2000; i++) {
      const distance = (xy[2 * i] - x) ** 2 + (xy[2 * i + 1] - y) ** 2;
      if (wanted[i] && distance < least) [least, best] = [distance, i];
    }
    assert.equal(index.nearest(x, y, reach, wanted), best);
  }
});
