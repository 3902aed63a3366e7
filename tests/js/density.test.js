// Many points as pixels, the points inside a loop, and sets of points: against the plain way of doing each.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PointSet } from "../../app/components/grid/point_set.js";
import { channels, Density, MANY, MOST_MOVING, opacities, sampling } from "../../app/components/scatter/density.js";
import { enclosed, inside } from "../../app/static/lib/geometry.js";

const FIELD = { width: 8, height: 6, k: 1, left: 0, top: 6, size: 1 };

/** @param {number[][]} points x, y, category */
function marks(points) {
  return {
    order: Uint32Array.from(points.keys()),
    xy: Float32Array.from(points.flatMap(([x, y]) => (Number.isNaN(x) ? [x, 0] : [x, y]))),
    category: Uint8Array.from(points, (each) => each[2]),
    wanted: new Uint8Array(points.length).fill(1),
  };
}

test("fewer points than many are counted and not drawn", () => {
  const image = new Uint8ClampedArray(8 * 6 * 4);
  const drawn = new Density().paint(
    image,
    FIELD,
    marks([
      [2, 3, 0],
      [-4, 3, 0],
      [2, 99, 0],
      [Number.NaN, 0, 0],
    ]),
    ["#fff"],
    0.5,
  );
  assert.equal(drawn, false);
  assert.ok(image.every((value) => value === 0));
});

test("a pixel has the colour of the last point on it, and is fuller the more there are", () => {
  const density = new Density();
  const image = new Uint8ClampedArray(8 * 6 * 4);
  const points = Array.from({ length: MANY }, () => [1, 2, 1]);
  density.paint(image, FIELD, marks([...points, [5, 1, 1], [5, 1, 0]]), ["#102030", "rgb(40, 50, 60)"], 0.5);
  /** @param {number} x @param {number} y */
  const pixel = (x, y) => [...image.subarray(4 * (y * 8 + x), 4 * (y * 8 + x) + 4)];
  assert.deepEqual(pixel(1, 4), [40, 50, 60, 255]);
  assert.deepEqual(pixel(5, 5), [16, 32, 48, opacities(0.5)[2]]);
  assert.deepEqual(pixel(3, 3), [0, 0, 0, 0]);
  density.paint(image, FIELD, marks(Array.from({ length: MANY }, () => [3, 3, 0])), ["#102030"], 0.5);
  assert.deepEqual(pixel(1, 4), [0, 0, 0, 0]); // nothing is left of the frame before
});

test("a larger point covers a square around its place", () => {
  const density = new Density();
  density.paint(new Uint8ClampedArray(8 * 6 * 4), { ...FIELD, size: 3 }, marks([[3, 3, 0]]), ["#fff"], 1);
  const covered = [...density.cells.keys()].filter((cell) => density.cells[cell]);
  assert.deepEqual(
    covered,
    [2, 3, 4].flatMap((y) => [2, 3, 4].map((x) => y * 8 + x)).sort((a, b) => a - b),
  );
});

test("colours are read in the forms that style sheets give", () => {
  assert.deepEqual(channels("#2b6cb0"), [0x2b, 0x6c, 0xb0]);
  assert.deepEqual(channels("#fa0"), [0xff, 0xaa, 0]);
  assert.deepEqual(channels("rgb(1, 2, 3)"), [1, 2, 3]);
});

test("the points inside a loop are those that a look at every edge finds", () => {
  let seed = 1;
  const random = () => {
    seed = (seed * 48271) % 2147483647;
    return seed / 2147483647 - 0.5;
  };
  const xy = Float32Array.from({ length: 4000 }, random);
  const wanted = Uint8Array.from({ length: 2000 }, (_, i) => (i % 7 ? 1 : 0));
  const star = Array.from({ length: 40 }, (_, i) => {
    const [reach, angle] = [i % 2 ? 0.15 : 0.45, (i * Math.PI) / 20];
    return [reach * Math.cos(angle), reach * Math.sin(angle)];
  }).flat();
  for (const polygon of [star, [-0.4, 0, 0.4, 0, 0, 0.4], [0, 0, 0.1, 0, 0.2, 0]]) {
    const plain = [...wanted.keys()].filter((i) => wanted[i] && inside(xy[2 * i], xy[2 * i + 1], polygon));
    assert.deepEqual(enclosed(xy, wanted, polygon), plain);
  }
});

test("a set of points does what a Set does", () => {
  const set = new PointSet(10, [3, 1, 3]);
  const plain = new Set([3, 1]);
  for (const [act, point] of /** @type {["add" | "delete", number][]} */ ([
    ["add", 7],
    ["delete", 3],
    ["delete", 3],
    ["add", 7],
    ["add", 0],
  ])) {
    set[act](point);
    plain[act](point);
    assert.equal(set.size, plain.size);
  }
  assert.deepEqual(
    [...set],
    [...plain].sort((a, b) => a - b),
  );
  assert.ok(set.has(7) && !set.has(3));
  set.clear();
  assert.deepEqual([set.size, [...set]], [0, []]);
});

test("while the view moves, every how manieth point stands for the others beside it", () => {
  assert.equal(sampling(MOST_MOVING, true), 1);
  assert.equal(sampling(4 * MOST_MOVING, true), 4);
  assert.equal(sampling(4 * MOST_MOVING, false), 1);
  const n = 4 * MOST_MOVING;
  const places = Array.from({ length: n }, (_, i) => [1 + (i % 5), 1 + (i % 3), 0]);
  const many = marks(places);
  const [still, moved] = [new Density(), new Density()];
  const image = new Uint8ClampedArray(8 * 6 * 4);
  assert.ok(still.paint(image, FIELD, many, ["#102030"], 0.001));
  const whole = Uint8ClampedArray.from(image);
  assert.ok(moved.paint(image, FIELD, many, ["#102030"], 0.001, { moving: true }));
  for (const [cell, counted] of still.cells.entries()) {
    assert.ok(Math.abs((moved.cells[cell] >>> 8) - (counted >>> 8)) <= 0.01 * n); // as full as with every point
  }
  for (const [at, value] of whole.entries()) assert.ok(Math.abs(image[at] - value) <= 3);
});

test("zoomed in to few of very many points, all of them are drawn while the view moves", () => {
  const n = 2 * MOST_MOVING;
  const inView = 20_000;
  const places = Array.from({ length: n }, (_, i) => (i < inView ? [2, 3, 0] : [99, 99, 0]));
  const density = new Density();
  const image = new Uint8ClampedArray(8 * 6 * 4);
  assert.ok(density.paint(image, FIELD, marks(places), ["#fff"], 1, { moving: true }));
  assert.equal(density.cells[3 * 8 + 2] >>> 8, inView);
  assert.equal(density.paint(image, FIELD, marks(places), ["#fff"], 1), false); // at rest: as shapes
  assert.ok(density.paint(image, FIELD, marks(places), ["#fff"], 1, { part: true })); // there are many beside them
});
