// @ts-check
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { angleAt, classByAngles, measure, sidesLookSwapped } from "../../app/components/landmarks/geometry.js";
import { Shape } from "../../app/components/landmarks/shape.js";
import { hintWords, originWords, reasonWords, shortOriginWords } from "../../app/components/landmarks/words.js";

/** What Python is held to as well, with the schemes as they are shipped. */
const cases = JSON.parse(readFileSync(new URL("../landmarks/cases.json", import.meta.url), "utf8"));
const hip = cases.definitions.hip;
const places = cases.schemes[0].places;

/** @param {number} actual @param {number} expected @param {string} why */
function near(actual, expected, why) {
  assert.ok(Math.abs(actual - expected) < 1e-9, `${why}: ${actual}, not ${expected}`);
}

for (const { why, vertex, first, second, degrees } of cases.angles)
  test(`an angle by hand: ${why}`, () => near(angleAt(vertex, first, second), degrees, why));

for (const each of cases.schemes)
  test(`a scheme by hand: ${each.why}`, () => {
    const angles = measure(cases.definitions[each.scheme], each.places);
    assert.deepEqual(Object.keys(angles), Object.keys(each.angles));
    for (const [name, degrees] of Object.entries(each.angles)) near(angles[name], degrees, name);
    assert.equal(classByAngles(cases.definitions[each.scheme], angles), each.class);
  });

test("landmarks on one another make no angle and no class", () => {
  const angles = measure(hip, { ...places, left_rim: places.left_head });
  assert.ok(Number.isNaN(angles.left));
  assert.equal(classByAngles(hip, angles), null);
  assert.equal(reasonWords(hip, angles), "");
});

test("sides that were exchanged are noticed", () => {
  assert.equal(sidesLookSwapped(hip, places), false);
  const flipped = { ...places, left_head: places.right_head, right_head: places.left_head };
  assert.equal(sidesLookSwapped(hip, { ...flipped, left_rim: places.right_rim, right_rim: places.left_rim }), true);
});

/** @param {"start" | "mean" | "model" | "answer"} origin */
function shape(origin) {
  return new Shape(
    { points: places, origin, by: "ann", doubt: origin === "model" ? 2.25 : null },
    { width: 400, height: 300 },
  );
}

test("where landmarks only begin is no answer before one of them was moved", () => {
  assert.deepEqual(
    /** @type {const} */ (["start", "mean", "model", "answer"]).map((origin) => shape(origin).isMeant),
    [false, false, true, true],
  );
  const begun = shape("mean");
  assert.match(hintWords(begun, false), /mean of earlier answers/);
  begun.begin();
  begun.move("left_rim", 50.123456, -7);
  begun.end();
  assert.deepEqual(begun.places.left_rim, [50.12, 0]);
  assert.equal(begun.isMeant, true);
  assert.equal(originWords(begun), "Placed by you");
});

test("a locked test image says who may correct it, once it was moved", () => {
  const locked = shape("answer");
  assert.match(hintWords(locked, false, true), /is locked\. → goes on/);
  locked.begin();
  locked.move("left_rim", 5, 5);
  assert.match(hintWords(locked, false, true), /locked; an owner corrects it/);
  assert.match(hintWords(locked, false), /Enter saves/);
});

test("each drag is one step to take back, and one that moved nothing is none", () => {
  const moved = shape("answer");
  for (const x of [10, 20]) {
    moved.begin();
    for (const y of [1, 2, 3]) moved.move("left_head", x, y);
    moved.end();
  }
  moved.begin();
  moved.end();
  assert.deepEqual(moved.places.left_head, [20, 3, 30]);
  assert.equal(moved.undo(), true);
  assert.deepEqual(moved.places.left_head, [10, 3, 30]);
  assert.equal(moved.undo(), true);
  assert.deepEqual(moved.places, places);
  assert.equal(moved.touched, false);
  assert.equal(moved.undo(), false);
});

/** @param {Shape} shape @param {number} x */
function step(shape, x) {
  shape.begin();
  shape.move("left_rim", x, 5);
  shape.end();
}

test("moves that were taken back can be repeated, until another move is made", () => {
  const moved = shape("answer");
  for (const x of [10, 20]) step(moved, x);
  assert.equal(moved.redo(), false);
  moved.undo();
  moved.undo();
  moved.begin();
  moved.end(); // a click that moves nothing leaves them
  assert.equal(moved.redo(), true);
  assert.deepEqual([moved.places.left_rim, moved.touched], [[10, 5], true]);
  assert.equal(moved.redo(), true);
  assert.deepEqual(moved.places.left_rim, [20, 5]);
  moved.undo();
  step(moved, 30);
  assert.equal(moved.redo(), false);
  moved.undo();
  moved.reset();
  assert.equal(moved.redo(), false);
  moved.undo();
  moved.keep();
  assert.equal(moved.redo(), false);
  assert.deepEqual(moved.places.left_rim, [10, 5]);
});

test("what was said is not taken back by moving back", () => {
  const said = shape("start");
  said.begin();
  said.resize("left_head", 0);
  said.end();
  assert.deepEqual(said.places.left_head, [...places.left_head.slice(0, 2), 1]);
  said.keep();
  assert.equal(said.undo(), false);
  said.begin();
  said.move("left_head", 5, 5);
  said.end();
  said.undo();
  assert.equal(said.isMeant, true);
});

test("words say where landmarks come from and why it is this class", () => {
  assert.equal(originWords(shape("model")), "Proposed by ann, ± 2.3 px");
  assert.equal(shortOriginWords(shape("model")), "Proposed ± 2.3 px");
  assert.equal(shortOriginWords(shape("answer")), "Placed by ann");
  assert.equal(originWords(shape("answer")), "Placed by ann");
  assert.equal(reasonWords(hip, { left: 135, right: 90 }), "least 90.0° < 105°");
  assert.equal(reasonWords(hip, { left: 135, right: 105 }), "least 105.0° ≥ 105°");
});
