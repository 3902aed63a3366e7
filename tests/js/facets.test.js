// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { Facets } from "../../app/components/scatter/facets.js";
import { facetMode } from "../../app/components/scatter/modes.js";
import { NONE } from "../../app/components/scatter/points.js";

const CLASS = { name: "class", title: "Class", values: ["cat", "dog"], codes: [1, 2, 1, 0, 2] };
const JOB = { name: "job", title: "Job", values: ["job 1", "job 2", "job 3"], codes: [1, 1, 2, 2, 3] };

function facets() {
  const made = new Facets(5);
  made.know([{ ...CLASS }, { ...JOB }]);
  return made;
}

/** @param {Facets} made */
function kept(made) {
  return [0, 1, 2, 3, 4].filter((i) => made.failed[i] === 0);
}

test("values of one facet are alternatives, facets are conditions", () => {
  const made = facets();
  made.choose("class", 1, true);
  assert.deepEqual(kept(made), [0, 2]);
  made.choose("class", 2, true);
  assert.deepEqual(kept(made), [0, 1, 2, 4]);
  made.choose("job", 1, true);
  assert.deepEqual(kept(made), [0, 1]);
  made.choose("class", 1, false);
  assert.deepEqual(kept(made), [1]);
  made.choose("class", 2, false);
  assert.deepEqual(kept(made), [0, 1]); // nothing of it wanted: all
});

test("what has no value can be wanted too", () => {
  const made = facets();
  made.choose("class", 0, true);
  assert.deepEqual(kept(made), [3]);
  assert.deepEqual(made.where, { class: [""] });
});

test("counts follow the other facets and not their own", () => {
  const made = facets();
  made.choose("class", 1, true);
  assert.deepEqual([...made.counts(made.list[0])], [1, 2, 2]);
  assert.deepEqual([...made.counts(made.list[1])], [0, 1, 1, 0]);
});

test("a search is one more condition, and goes without a trace", () => {
  const made = facets();
  made.search("clock", [1, 2, 3]);
  made.choose("class", 1, true);
  assert.deepEqual(kept(made), [2]);
  assert.ok(made.active);
  made.search("", []);
  made.want({});
  assert.deepEqual(kept(made), [0, 1, 2, 3, 4]);
  assert.ok(!made.active);
});

test("what is wanted comes back by its values, unknown ones left out", () => {
  const made = facets();
  made.want({ class: ["dog", "ghost"], job: ["job 3", "job 1"], nothing: ["x"] });
  assert.deepEqual(kept(made), [1, 4]);
  assert.deepEqual(made.where, { class: ["dog"], job: ["job 1", "job 3"] });
});

test("more facets become known, and what was wanted stays", () => {
  const made = facets();
  made.choose("class", 1, true);
  made.know([{ ...JOB }, { ...CLASS }]);
  assert.deepEqual(kept(made), [0, 2]);
});

test("another label moves a point in or out", () => {
  const made = facets();
  made.choose("class", 1, true);
  made.recode("class", [2, 2, 1, 1, 2]);
  assert.deepEqual(kept(made), [2, 3]);
});

test("thirty facets and a search do not meet in one bit", () => {
  const made = new Facets(2);
  made.know(Array.from({ length: 31 }, (_, i) => ({ name: `f${i}`, title: "", values: ["a", "b"], codes: [1, 2] })));
  made.choose("f30", 1, true);
  assert.deepEqual([made.failed[0], made.failed[1] > 0], [0, true]);
  made.search("x", [0, 1]);
  assert.equal(made.failed[0], 0);
  made.choose("f30", 1, false);
  assert.deepEqual([...made.failed], [0, 0]);
});

/** Points 0..4 with the tags: none, clock, clock and blurred, blurred, none. */
function tagged() {
  const facets = new Facets(5);
  const tag = {
    name: "tag",
    title: "Tag",
    values: ["clock", "blurred"],
    codes: [0, 1, 2, 3, 0],
    sets: [[0], [0, 1], [1]],
  };
  facets.know([tag]);
  return { facets, tag };
}

/** @param {Facets} facets */
const keptOf = (facets) => [...facets.failed].flatMap((mask, i) => (mask ? [] : [i]));

test("a point with several values passes for each of them", () => {
  const { facets } = tagged();
  facets.choose("tag", 1, true);
  assert.deepEqual(keptOf(facets), [1, 2]);
  facets.choose("tag", 1, false);
  facets.choose("tag", 2, true);
  assert.deepEqual(keptOf(facets), [2, 3]);
  facets.choose("tag", 0, true);
  assert.deepEqual(keptOf(facets), [0, 2, 3, 4]);
  assert.deepEqual(facets.where, { tag: ["", "blurred"] });
});

test("a point with several values counts for each of them", () => {
  const { facets, tag } = tagged();
  assert.deepEqual([...facets.counts(tag)], [2, 2, 2]);
});

test("colours by a facet: the ten commonest, the others alike, the first of several", () => {
  const { tag } = tagged();
  const mode = facetMode(tag);
  const columns = /** @type {any} */ ({});
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((i) => mode.categoryOf?.(columns, i)),
    [NONE, 0, 0, 1, NONE],
  );
  const many = {
    name: "job",
    title: "Job",
    values: Array.from({ length: 12 }, (_, i) => `job ${i}`),
    codes: [1, 10, 11, 12],
  };
  const [first, tenth, eleventh, twelfth] = [0, 1, 2, 3].map((i) => facetMode(many).categoryOf?.(columns, i));
  assert.deepEqual([first, tenth], [0, 9]);
  assert.equal(eleventh, twelfth);
  const named = facetMode(many).categories?.([]) ?? [];
  assert.deepEqual(named.find(({ key }) => key === eleventh)?.name, "2 other values");
});
