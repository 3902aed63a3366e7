// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { isInUse } from "../../app/components/label_desk/leases.js";
import { LabelQueue, SHARED } from "../../app/components/label_desk/queue.js";
import { refitWords } from "../../app/components/label_desk/refit.js";

/** A queue over `ids`, of which the app has those in `there`. @param {number[]} ids @param {(id: number) => boolean} there */
function queueOf(ids, there) {
  /** @type {number[]} */
  const decoded = [];
  /** @type {(() => void)[]} */
  const arrivals = [];
  const sources = {
    items: async (/** @type {number[]} */ wanted) => wanted.filter(there).map((id) => ({ image_id: id })),
    picture: (/** @type {any} */ item) => {
      decoded.push(item.image_id);
      return Promise.resolve(/** @type {any} */ ({}));
    },
    pause: async () => {},
  };
  const listeners = { arrived: () => arrivals.shift()?.(), unreachable() {}, decoded() {} };
  const queue = new LabelQueue(/** @type {any} */ (sources), listeners);
  queue.replace(ids);
  const arrived = () => new Promise((/** @type {(value?: unknown) => void} */ resolve) => arrivals.push(resolve));
  return { queue, decoded, arrived };
}

test("an image that is gone is left out, and the others keep their order", async () => {
  const { queue, arrived } = queueOf([1, 2, 3, 4], (id) => id !== 2);
  const here = arrived();
  queue.moveTo(0);
  await here;
  assert.deepEqual(queue.ids, [1, 3, 4]);
  assert.equal(queue.current?.image_id, 1);
});

test("images near the present one are decoded, and only these are held", async () => {
  const ids = Array.from({ length: 50 }, (_, i) => i + 1);
  const { queue, decoded, arrived } = queueOf(ids, () => true);
  const here = arrived();
  queue.moveTo(0);
  await here;
  assert.deepEqual(decoded, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  queue.moveTo(20);
  assert.deepEqual([...queue.pictures.keys()], [19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29]);
});

test("an image of another queue is put in at the present place", () => {
  const { queue } = queueOf([1, 2, 3], () => true);
  queue.at = 1;
  queue.find(9);
  assert.deepEqual(queue.ids, [1, 9, 2, 3]);
  assert.equal(queue.at, 1);
  queue.find(3);
  assert.equal(queue.at, 3);
});

test("it ends behind the last image, and nowhere else", () => {
  const { queue } = queueOf([1, 2], () => true);
  queue.moveTo(99);
  assert.equal(queue.finished, true);
  queue.moveTo(-5);
  assert.equal(queue.at, 0);
});

test("several readers hold few images each, and what another takes meanwhile is left out", async () => {
  /** @type {number[][]} */
  const asked = [];
  let taken = new Set([2]);
  const sources = {
    items: async (/** @type {number[]} */ ids) => {
      asked.push(ids);
      return ids.filter((id) => !taken.has(id)).map((id) => ({ image_id: id }));
    },
    picture: async () => ({}),
    pause: async () => {},
  };
  const listeners = { arrived() {}, unreachable() {}, decoded() {} };
  const queue = new LabelQueue(/** @type {any} */ (sources), listeners, SHARED);
  queue.replace(Array.from({ length: 100 }, (_, i) => i + 1));
  queue.moveTo(0);
  await new Promise(setImmediate);
  assert.ok(asked[0].length <= SHARED.page);
  assert.deepEqual(queue.ids.slice(0, 4), [1, 3, 4, 5]);
  queue.moveTo(1);
  await new Promise(setImmediate);
  taken = new Set([1, 3, 5]);
  await queue.renew();
  assert.deepEqual(queue.ids.slice(0, 4), [1, 4, 6, 7]); // 1 is behind: it was shown already
  assert.equal(queue.current?.image_id, 4);
});

test("images are held while somebody is at the desk", () => {
  assert.equal(isInUse(true, 0, 14 * 60_000), true);
  assert.equal(isInUse(true, 0, 16 * 60_000), false);
  assert.equal(isInUse(false, 0, 1), false);
});

test("in another order the present image stays, and all after it is read anew", async () => {
  const { queue, arrived } = queueOf([1, 2, 3, 4], () => true);
  const here = arrived();
  queue.moveTo(1);
  await here;
  queue.reorder([4, 2, 3]);
  assert.deepEqual(queue.ids, [2, 4, 3]);
  assert.equal(queue.at, 0);
  assert.equal(queue.current?.image_id, 2);
  assert.equal(queue.items.has(4), false);
  await new Promise(setImmediate);
  assert.equal(queue.items.has(4), true);
});

test("what is said of the model that is fitted while labeling", () => {
  const state = { every: 20, left: 3, running: false, fitted: null, problem: "" };
  assert.equal(refitWords(null), "");
  assert.equal(refitWords(state), "model fitted in 3 answers");
  assert.equal(refitWords({ ...state, fitted: 4, left: 1 }), "model fitted again in 1 answer");
  assert.equal(refitWords({ ...state, left: 0 }), "model fitted with the next answer");
  assert.equal(refitWords({ ...state, running: true }), "Fitting the model …");
  assert.equal(refitWords({ ...state, problem: "no memory" }), "The model could not be fitted");
});
