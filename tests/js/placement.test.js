// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  alike,
  applied,
  fitted,
  inverse,
  matrixOf,
  panned,
  turned,
  wheelFactor,
  zoomed,
} from "../../app/components/viewer/placement.js";

const PICTURE = { width: 3000, height: 2000 };
const STAGE = { width: 900, height: 500 };

/** @param {ArrayLike<number>} found @param {number[]} expected */
function close(found, expected) {
  assert.equal(found.length, expected.length);
  expected.forEach((value, i) => {
    assert.ok(Math.abs(found[i] - value) < 1e-6, `${Array.from(found)} is not ${expected}`);
  });
}

test("a fitted picture touches two edges and is in the middle", () => {
  const matrix = matrixOf(fitted(PICTURE, STAGE), PICTURE, STAGE);
  close(applied(matrix, 0, 0), [75, 0]);
  close(applied(matrix, 3000, 2000), [825, 500]);
});

test("a quarter turn to the right brings the upper left corner to the upper right", () => {
  const matrix = matrixOf(fitted(PICTURE, STAGE, 1), PICTURE, STAGE);
  close(applied(matrix, 0, 0), [450 + 500 / 3, 0]);
  close(applied(matrix, 3000, 0), [450 + 500 / 3, 500]);
});

test("what lies under the pointer stays there, whatever the turn", () => {
  for (const turns of [0, 1, 2, 3]) {
    const before = fitted(PICTURE, STAGE, turns);
    const point = { x: 500, y: 130 };
    const under = applied(inverse(matrixOf(before, PICTURE, STAGE)), point.x, point.y);
    const after = zoomed(before, point, 3.7, PICTURE, STAGE);
    close([after.scale], [before.scale * 3.7]);
    close(applied(matrixOf(after, PICTURE, STAGE), under[0], under[1]), [500, 130]);
  }
});

test("zoom ends at both ends, and the picture cannot be lost", () => {
  let placement = fitted(PICTURE, STAGE);
  for (let i = 0; i < 100; i++) placement = zoomed(placement, { x: 10, y: 10 }, 2, PICTURE, STAGE);
  assert.equal(placement.scale, 40);
  placement = zoomed(placement, { x: 10, y: 10 }, 1e-9, PICTURE, STAGE);
  assert.equal(placement.scale, 0.125);
  const [x, y] = applied(matrixOf(panned(placement, 1e6, -1e6, PICTURE, STAGE), PICTURE, STAGE), 0, 2000);
  close([x, y], [900 - 48, 48]);
});

test("four quarter turns are none, and turn what was moved along", () => {
  const moved = panned(fitted(PICTURE, STAGE), 100, 30, PICTURE, STAGE);
  const once = turned(moved, 1);
  close([once.x, once.y, once.turns], [-30, 100, 1]);
  const back = turned(turned(turned(once, 1), 1), 1);
  close([back.x, back.y, back.turns], [100, 30, 0]);
  assert.equal(turned(moved, -1).turns, 3);
});

test("the way back is the inverse", () => {
  const matrix = matrixOf(zoomed(fitted(PICTURE, STAGE, 3), { x: 1, y: 2 }, 5, PICTURE, STAGE), PICTURE, STAGE);
  close(applied(inverse(matrix), ...applied(matrix, 123, 456)), [123, 456]);
});

test("a wheel notch forwards enlarges, a pinch more, and there and back is nothing", () => {
  const notch = (/** @type {number} */ deltaY, ctrlKey = false) => wheelFactor({ deltaY, deltaMode: 0, ctrlKey });
  assert.ok(notch(-100) > 1.1 && notch(-100) < 1.2);
  assert.ok(notch(-10, true) > notch(-10));
  close([notch(100) * notch(-100)], [1]);
});

test("the other picture shows the same part, whatever its size and shape, turned or not", () => {
  const here = { picture: PICTURE, stage: STAGE };
  const there = { picture: { width: 600, height: 900 }, stage: { width: 450, height: 500 } };
  for (const turns of [0, 1, 2, 3]) {
    const fit = alike(fitted(PICTURE, STAGE, turns), here, there);
    assert.deepEqual(fit, fitted(there.picture, there.stage, turns));
    const moved = panned(
      zoomed(fitted(PICTURE, STAGE, turns), { x: 700, y: 100 }, 3, PICTURE, STAGE),
      40,
      -25,
      PICTURE,
      STAGE,
    );
    const middle = applied(inverse(matrixOf(moved, PICTURE, STAGE)), STAGE.width / 2, STAGE.height / 2);
    const linked = matrixOf(alike(moved, here, there), there.picture, there.stage);
    const shown = applied(inverse(linked), there.stage.width / 2, there.stage.height / 2);
    close([shown[0] / 600, shown[1] / 900], [middle[0] / 3000, middle[1] / 2000]); // in shares of the pictures
  }
});
