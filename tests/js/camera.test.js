// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { Camera } from "../../app/components/scatter/camera.js";

function camera() {
  const made = new Camera();
  made.resize(800, 600, undefined);
  made.fit({ width: 1, height: 0.5 });
  return made;
}

/** @param {number[]} found @param {number[]} expected */
function close(found, expected) {
  found.forEach((value, i) => {
    assert.ok(Math.abs(value - expected[i]) < 1e-9, `${found} is not ${expected}`);
  });
}

test("fitted, the corners of the box are on the screen", () => {
  const made = camera();
  const [left, top] = made.toScreen(-0.5, 0.25);
  const [right, bottom] = made.toScreen(0.5, -0.25);
  assert.ok(left >= 0 && top >= 0 && right <= 800 && bottom <= 600);
  close([(left + right) / 2, (top + bottom) / 2], [400, 300]);
});

test("from the screen to the world is the way back", () => {
  const made = camera();
  made.zoom(3.7, 120, 480);
  close(made.toWorld(...made.toScreen(0.31, -0.17)), [0.31, -0.17]);
});

test("what lies under the pointer stays there", () => {
  const made = camera();
  const before = made.toWorld(120, 480);
  made.zoom(5, 120, 480);
  close(made.toWorld(120, 480), before);
});

test("zoom has both ends", () => {
  const made = camera();
  made.zoom(1e-9);
  assert.ok(made.widest);
  close(made.toScreen(0, 0), [400, 300]);
  const { k } = made.view;
  made.zoom(1e-9);
  assert.equal(made.view.k, k);
});

test("another size keeps the middle and the zoom", () => {
  const made = camera();
  made.zoom(4, 200, 200);
  const middle = made.toWorld(400, 300);
  made.resize(400, 300, { width: 1, height: 0.5 });
  close(made.toWorld(200, 150), middle);
  assert.equal(made.view.k / made.fitted, 4);
});
