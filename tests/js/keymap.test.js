// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { KeyMap, keyWords } from "../../app/components/label_desk/keymap.js";

const CLASSES = [
  { name: "Big", key: "1", color: "" },
  { name: "Small", key: "2", color: "" },
];

/** A storage as browsers have it, in memory. */
function storage() {
  const kept = new Map();
  return /** @type {any} */ ({
    getItem: (/** @type {string} */ key) => kept.get(key) ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ value) => kept.set(key, value),
  });
}

/** @param {KeyMap} keys @param {any} event */
function press(keys, event) {
  return keys.meaningOf(typeof event === "string" ? { key: event } : event);
}

test("the keys that come with the desk", () => {
  const keys = new KeyMap(CLASSES, "me", storage());
  /** @type {[any, any][]} */
  const expected = [
    ["1", 0],
    ["2", 1],
    ["Enter", "accept"],
    [" ", "accept"],
    ["x", "reject"],
    ["X", "reject"],
    ["ArrowLeft", "back"],
    ["Backspace", "back"],
    ["?", "help"],
    ["!", "flag"],
    ["q", null],
    [{ key: "x", ctrlKey: true }, null],
    [{ key: "x", repeat: true }, null],
    [{ key: "x", isComposing: true }, null],
  ];
  for (const [event, meaning] of expected) assert.equal(press(keys, event), meaning, JSON.stringify(event));
});

test("Z undoes, and with Shift or as Ctrl+Y it is done again", () => {
  const keys = new KeyMap([], "me", storage());
  assert.equal(press(keys, "z"), "undo");
  assert.equal(press(keys, "Z"), "undo"); // caps lock
  assert.equal(press(keys, { key: "Z", shiftKey: true }), "redo");
  assert.equal(press(keys, { key: "y", ctrlKey: true }), "redo");
  assert.equal(press(keys, { key: "Z", ctrlKey: true, shiftKey: true }), "redo");
  assert.equal(press(keys, { key: "z", ctrlKey: true }), "undo");
  assert.equal(press(keys, "y"), null);
});

test("another key is kept for this person, and the old one does nothing", () => {
  const kept = storage();
  const keys = new KeyMap(CLASSES, "me", kept);
  assert.equal(keys.change("reject", "R"), "");
  assert.equal(keys.change("class:0", "b"), "");
  assert.equal(press(keys, "r"), "reject");
  assert.equal(press(keys, "x"), null);
  const again = new KeyMap(CLASSES, "me", kept);
  assert.equal(press(again, "b"), 0);
  assert.equal(press(again, "1"), null);
  assert.deepEqual(
    again.rows.filter(({ own }) => own).map(({ title, key }) => [title, key]),
    [
      ["Big", "b"],
      ["Reject: not usable for any class", "r"],
    ],
  );
  assert.equal(press(new KeyMap(CLASSES, "you", kept), "x"), "reject");
  again.reset();
  assert.equal(press(new KeyMap(CLASSES, "me", kept), "x"), "reject");
});

test("Undo on another key takes Redo along, and frees Z", () => {
  const keys = new KeyMap(CLASSES, "me", storage());
  assert.equal(keys.redoWords, "⇧Z");
  assert.equal(keys.change("undo", "q"), "");
  assert.equal(press(keys, "z"), null);
  assert.equal(press(keys, { key: "Z", shiftKey: true }), null);
  assert.equal(press(keys, "q"), "undo");
  assert.equal(press(keys, { key: "Q", shiftKey: true }), "redo");
  assert.equal(keys.redoWords, "⇧Q");
  assert.equal(keys.change("undo", "$"), "");
  assert.equal(press(keys, { key: "$", shiftKey: true }), "undo"); // a sign may need Shift
  assert.equal(keys.redoWords, "");
});

test("a key that means something already is refused, and nothing changes", () => {
  const keys = new KeyMap(CLASSES, "me", storage());
  assert.match(keys.change("reject", "2"), /^2 is "Small" already/);
  assert.match(keys.change("reject", "U"), /^U is "Unsure/);
  assert.match(keys.change("reject", " "), /^Space is "Accept/);
  assert.match(keys.change("reject", "#"), /moves the picture/);
  assert.match(keys.change("reject", "%"), /moves the picture/);
  assert.match(keys.change("reject", "F5"), /cannot be used/);
  assert.equal(press(keys, "x"), "reject");
  assert.equal(keys.change("reject", "x"), ""); // its own
  assert.equal(keys.change("unsure", "q"), "");
  assert.equal(keys.change("reject", "u"), ""); // free by now
  assert.equal(press(keys, "u"), "reject");
});

test("keys as they are written on buttons", () => {
  assert.deepEqual([" ", "ArrowLeft", "x", "Enter"].map(keyWords), ["Space", "←", "X", "Enter"]);
});
