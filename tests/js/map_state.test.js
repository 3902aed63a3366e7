// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { Walk } from "../../app/components/inspector/walk.js";
import { byQuadrant, quadrantOf, threshold } from "../../app/components/scatter/quadrants.js";
import { readShown, writeShown } from "../../app/components/scatter/state.js";
import { decodeIds, encodeIds } from "../../app/static/lib/id_list.js";

const MOST = 1_000_000;

test("ids come back from an address, and runs of them are short", () => {
  const some = [[], [0], [1, 2, 3], [7, 9, 10, 11, 4000000000], Array.from({ length: 500 }, (_, i) => i * i)];
  for (const ids of some) assert.deepEqual(decodeIds(encodeIds(ids), MOST), ids);
  assert.ok(encodeIds(Array.from({ length: 100_000 }, (_, i) => i + 1)).length < 10);
  assert.match(encodeIds([3, 62, 63, 5000]), /^[\w-]+$/);
});

test("what is no list of ids is no ids, and a list cannot be longer than asked", () => {
  assert.deepEqual(decodeIds("%%%", MOST), []);
  assert.deepEqual(decodeIds(encodeIds(Array.from({ length: 11 }, (_, i) => i)), 10), []);
});

/** @type {import("../../app/components/scatter/state.js").Shown} */
const USUAL = {
  projection: "pca",
  mode: "origin",
  hiddenOrigins: [],
  hiddenCategories: [],
  range: null,
  thresholds: { far: 0.95, sparse: 0.75 },
  where: {},
  text: "",
  full: false,
  queue: null,
  selected: [],
};

/** @param {import("../../app/components/scatter/state.js").Shown} shown */
function throughAddress(shown) {
  const { query, hash } = writeShown(shown);
  /** @param {Record<string, string | null>} values */
  const text = (values) =>
    new URLSearchParams(Object.entries(values).flatMap(([name, value]) => (value === null ? [] : [[name, value]])));
  return { search: `?${text(query)}`, hash: `#${text(hash)}` };
}

test("what is usual leaves the address empty", () => {
  assert.deepEqual(throughAddress(USUAL), { search: "?", hash: "#" });
  assert.deepEqual(readShown("", ""), USUAL);
});

test("everything that is shown comes back from the address", () => {
  /** @type {import("../../app/components/scatter/state.js").Shown} */
  const shown = {
    projection: "ood",
    mode: "confidence",
    hiddenOrigins: [1],
    hiddenCategories: [0, 255],
    range: [0.25, 0.5],
    thresholds: { far: 0.9, sparse: 0.1 },
    where: { class: ["cat", ""], "slot:WHAT": ['a "quoted" & <b>'] },
    text: "on the sofa",
    full: true,
    queue: null,
    selected: [4, 5, 90],
  };
  const { search, hash } = throughAddress(shown);
  assert.deepEqual(readShown(search, hash), shown);
});

test("a queue stands for its images", () => {
  const { search, hash } = throughAddress({ ...USUAL, queue: "duplicates", selected: [1, 2] });
  assert.deepEqual({ search, hash }, { search: "?queue=duplicates", hash: "#" });
  assert.equal(readShown(search, hash).queue, "duplicates");
});

test("an address that says nonsense shows what is usual", () => {
  assert.deepEqual(readShown('?map=x&by=__proto__&hide=7.a&off=999&range=3..1&far=x&where={"a":1}', "#sel=$"), USUAL);
});

test("the four quadrants, thresholds included upwards", () => {
  const at = { far: 0.9, sparse: 0.5 };
  assert.equal(quadrantOf(0.9, 0.5, at), "artefact");
  assert.equal(quadrantOf(0.89, 0.5, at), "coverage");
  assert.equal(quadrantOf(0.9, 0.49, at), "redundant");
  assert.equal(quadrantOf(0.1, 0.1, at), "typical");
  assert.equal(quadrantOf(Number.NaN, 0.1, at), null);
});

test("a rank that equals a threshold is beyond it, although 32 bits hold it a little lower", () => {
  const [far, sparse] = Float32Array.of(0.95, 0.7);
  assert.ok(far < 0.95 && sparse < 0.7);
  assert.equal(quadrantOf(far, sparse, { far: 0.95, sparse: 0.7 }), "artefact");
});

test("only wanted points with both distances have a quadrant", () => {
  const columns = { ood_real: Float32Array.of(1, 1, 0, NaN), ood_synthetic: Float32Array.of(1, 1, 1, 1) };
  const found = byQuadrant(columns, { far: 0.9, sparse: 0.5 }, [1, 0, 1, 1]);
  assert.deepEqual(found, { artefact: [0], coverage: [2], redundant: [], typical: [] });
});

test("a threshold lies in 0..1 and has two decimals", () => {
  assert.deepEqual([threshold(1.7), threshold(-1), threshold(0.1234), threshold(Number.NaN)], [1, 0, 0.12, null]);
});

test("one walks along a list to its ends", () => {
  const walk = new Walk();
  walk.along([5, 3, 9]);
  walk.stand(3);
  assert.deepEqual([walk.at(-1), walk.at(1), walk.at(2), walk.words], [5, 9, null, "2 of 3"]);
  walk.stand(4);
  assert.deepEqual([walk.at(1), walk.words], [null, ""]);
});
