// Which runs a filter keeps, and which two are laid side by side.

import assert from "node:assert/strict";
import { test } from "node:test";
import { afterChoosing, choices, isShown, kept } from "../../app/components/runs/filtering.js";

/** @param {object} values */
function entry(values) {
  return {
    kind: "run",
    title: "",
    sides: ["run:1"],
    class_sets: ["all 10 classes"],
    recipes: ["small"],
    arms: ["real"],
    generators: [],
    seeds: 1,
    accuracies: [0.5],
    verdict: null,
    difference: null,
    test_fingerprint: "",
    created_at: "2026-11-25T10:00:00",
    ...values,
  };
}

const PLAIN = entry({});
const MIXED = entry({ sides: ["run:2"], arms: ["real + synthetic"], generators: ["digits", "cifar10"] });
const PAIR = entry({
  kind: "comparison",
  sides: ["comparison:1:baseline", "comparison:1:augmented"],
  arms: ["real", "real + synthetic"],
  generators: ["digits"],
  recipes: ["cifar"],
});
const ALL = /** @type {any[]} */ ([PLAIN, MIXED, PAIR]);

test("nothing wanted keeps all", () => {
  assert.deepEqual(kept(ALL, {}), ALL);
});

test("a comparison is kept for either of its arms", () => {
  assert.deepEqual(kept(ALL, { arm: "real" }), [PLAIN, PAIR]);
  assert.deepEqual(kept(ALL, { arm: "real + synthetic" }), [MIXED, PAIR]);
});

test("filters join", () => {
  assert.deepEqual(kept(ALL, { generator: "digits", kind: "run" }), [MIXED]);
  assert.deepEqual(kept(ALL, { generator: "none" }), [PLAIN]);
  assert.deepEqual(kept(ALL, { generator: "none", recipe: "cifar" }), []);
});

test("a filter counts what the others keep, and lists also what they leave out", () => {
  assert.deepEqual(choices(ALL, "generator", { kind: "run", generator: "cifar10" }), [
    ["cifar10", 1],
    ["digits", 1],
    ["none", 1],
  ]);
  assert.deepEqual(choices(ALL, "recipe", { kind: "run" }), [
    ["cifar", 0],
    ["small", 2],
  ]);
});

test("a third side takes the place of the second, one that is shown goes", () => {
  assert.deepEqual(afterChoosing([], ["run:1"]), ["run:1"]);
  assert.deepEqual(afterChoosing(["run:1"], ["run:2"]), ["run:1", "run:2"]);
  assert.deepEqual(afterChoosing(["run:1", "run:2"], ["run:3"]), ["run:1", "run:3"]);
  assert.deepEqual(afterChoosing(["run:1", "run:2"], ["run:1"]), ["run:2"]);
});

test("a comparison brings both its sides, and takes them away", () => {
  assert.deepEqual(afterChoosing(["run:1"], PAIR.sides), PAIR.sides);
  assert.deepEqual(afterChoosing(PAIR.sides, PAIR.sides), []);
  assert.ok(isShown(PAIR.sides, PAIR.sides));
  assert.ok(!isShown([PAIR.sides[0]], PAIR.sides));
});
