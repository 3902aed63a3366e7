// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { chosen, dropped, isJunk, tidy } from "../../app/components/importing/files.js";
import { choices, problem, request, rows, splits, usualSplit, wanted } from "../../app/components/importing/plan.js";

/** @typedef {import("../../app/components/importing/plan.js").Survey} Survey */

/** @param {Partial<Survey>} [more] @returns {Survey} */
function survey(more = {}) {
  return {
    key: 1,
    format: "folder",
    images: 12,
    groups: [
      { name: "big", images: 5, proposal: "class", to: "Big", samples: [] },
      { name: "cats", images: 4, proposal: "add", to: null, samples: [] },
      { name: "", images: 3, proposal: "none", to: null, samples: [] },
    ],
    numbered: false,
    train: 0,
    test: 0,
    refused: [],
    passed_over: [],
    classes: ["Big", "Small"],
    tests_here: false,
    ...more,
  };
}

test("what is proposed becomes the request", () => {
  assert.deepEqual(request(rows(survey()), "hold", "real"), {
    classes: { big: "Big", cats: "cats" },
    skip: [],
    add: ["cats"],
    split: null,
    hold_out: 0.2,
    origin: "real",
  });
});

test("every choice has its place in the request", () => {
  const all = rows(survey());
  all[0].choice = "skip";
  all[1].added = " Owl ";
  all[2].choice = "class:Small";
  assert.deepEqual(request(all, "test", "synthetic"), {
    classes: { cats: "Owl", "": "Small" },
    skip: ["big"],
    add: ["Owl"],
    split: "test",
    hold_out: 0,
    origin: "synthetic",
  });
  assert.equal(wanted(all), 7);
  all[1].choice = "none";
  assert.equal(request(all, "given", "real").classes.cats, null);
});

test("two folders may become one new class", () => {
  const all = rows(survey());
  for (const row of all) Object.assign(row, { choice: "add", added: "x" });
  assert.deepEqual(request(all, "train", "real").add, ["x"]);
});

test("what cannot be imported is said", () => {
  const all = rows(survey());
  assert.equal(problem(all), "");
  all[1].added = "  ";
  assert.match(problem(all), /Enter a name for the new class of “cats”/);
  for (const row of all) row.choice = "skip";
  assert.match(problem(all), /nothing to import/);
});

test("test images are kept where there are none", () => {
  assert.equal(usualSplit(survey()), "hold");
  assert.equal(usualSplit(survey({ images: 9 })), "train");
  assert.equal(usualSplit(survey({ tests_here: true })), "train");
  assert.equal(usualSplit(survey({ train: 5, test: 1 })), "given");
  assert.deepEqual(
    splits(survey()).map(([value]) => value),
    ["hold", "train", "test"],
  );
  assert.equal(splits(survey({ train: 1 }))[0][0], "given");
});

test("a class called like a choice is still that class", () => {
  assert.deepEqual(choices(["none"])[0], ["class:none", "none"]);
});

test("junk is left out and no path comes twice", () => {
  assert.ok(isJunk("a/.DS_Store") && isJunk("__MACOSX/a.png") && isJunk("a/Thumbs.db") && isJunk(".git/x"));
  assert.ok(!isJunk("a/IM0001"));
  const file = new File(["x"], "a.png");
  const found = tidy(["a.png", "a.png", "d/.x", "a.png", "1.2/x", "1.2/x"].map((path) => ({ path, file })));
  assert.deepEqual(
    found.map(({ path }) => path),
    ["a.png", "a (2).png", "a (3).png", "1.2/x", "1.2/x (2)"],
  );
  assert.deepEqual(chosen(null), []);
});

/**
 * An entry as a drop holds it: a file for a string, a folder for a record of entries, which hands out its entries a
 * hundred at a time, as Chromium does.
 * @typedef {string | { [name: string]: Tree }} Tree
 * @param {string} name
 * @param {Tree} tree
 * @param {string} parent
 * @returns {any}
 */
function entry(name, tree, parent = "") {
  const fullPath = `${parent}/${name}`;
  if (typeof tree === "string") {
    const file = (/** @type {(file: File) => void} */ then) => queueMicrotask(() => then(new File([tree], name)));
    return { isFile: true, name, fullPath, file };
  }
  const createReader = () => {
    const waiting = Object.entries(tree).map(([child, below]) => entry(child, below, fullPath));
    const readEntries = (/** @type {(some: any[]) => void} */ then) =>
      queueMicrotask(() => then(waiting.splice(0, 100)));
    return { readEntries };
  };
  return { isFile: false, name, fullPath, createReader };
}

/** @param {any[]} entries @returns {any} */
function dropOf(entries) {
  return { items: entries.map((each) => ({ webkitGetAsEntry: () => each, getAsFile: () => null })) };
}

/** @param {number} count @param {string} prefix @returns {Record<string, string>} */
function films(count, prefix) {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`${prefix}${index}.dcm`, `${prefix} ${index}`]),
  );
}

test("a dropped folder is read to its end, hundred by hundred, with the folders in it", async () => {
  const tree = {
    ...films(250, "f"),
    big: { ...films(100, "b"), deep: films(201, "d") },
    ".git": films(3, "g"),
    none: {},
  };
  const found = await dropped(dropOf([entry("hips", tree), entry("one.png", "x")]));
  const paths = found.map(({ path }) => path);
  assert.equal(paths.length, 250 + 100 + 201 + 1);
  assert.equal(new Set(paths).size, paths.length);
  for (const path of ["hips/f0.dcm", "hips/f249.dcm", "hips/big/b99.dcm", "hips/big/deep/d200.dcm", "one.png"])
    assert.ok(paths.includes(path), path);
  const last = found.find(({ path }) => path === "hips/big/deep/d200.dcm");
  assert.equal(await last?.file.text(), "d 200");
});

test("a folder that cannot be read is an error, not an end", async () => {
  const folder = entry("hips", films(3, "f"));
  folder.createReader = () => ({
    readEntries: (/** @type {any} */ _then, /** @type {(error: Error) => void} */ fail) => fail(new Error("gone")),
  });
  await assert.rejects(dropped(dropOf([folder])), /gone/);
});

test("what is dragged from another page has no entry and is taken as a file", async () => {
  const items = [{ webkitGetAsEntry: () => null, getAsFile: () => new File(["x"], "a.png") }];
  const drop = /** @type {any} */ ({ items });
  assert.deepEqual(
    (await dropped(drop)).map(({ path }) => path),
    ["a.png"],
  );
});
