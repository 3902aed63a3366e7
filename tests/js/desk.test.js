// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { filterQuery, filterWords } from "../../app/components/label_desk/filter.js";
import { History } from "../../app/components/label_desk/history.js";
import { othersWords } from "../../app/components/label_desk/notes.js";
import { Places, resumeAt } from "../../app/components/label_desk/places.js";
import { rateWords, readingWords, timeLeftWords } from "../../app/components/label_desk/words.js";

/** A storage as browsers have it, in memory. */
function storage() {
  const kept = new Map();
  return /** @type {any} */ ({
    getItem: (/** @type {string} */ key) => kept.get(key) ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ value) => kept.set(key, value),
  });
}

test("a queue goes on at the image that was shown, or the first after it that is left", () => {
  const places = new Places("owner", storage());
  places.keep("real", "random", { seed: 7, newest: 9, ids: [4, 9, 2, 5, 7], at: 2 });
  const place = places.of("real", "random");
  assert.equal(place?.seed, 7);
  assert.equal(resumeAt(place, [4, 9, 2, 5, 7], "random"), 2);
  assert.equal(resumeAt(place, [4, 7, 5], "random"), 2);
  assert.equal(resumeAt(place, [4, 9], "random"), 0);
  assert.equal(places.of("real", "newest"), null);
  assert.equal(new Places("other", storage()).of("real", "random"), null);
});

test("where newer images came first, a queue of the newest starts with them", () => {
  const place = { seed: 1, newest: 9, next: [5] };
  assert.equal(resumeAt(place, [9, 7, 5], "newest"), 2);
  assert.equal(resumeAt(place, [12, 9, 7, 5], "newest"), 0);
  assert.equal(resumeAt(place, [12, 9, 7, 5], "least-confident"), 3);
});

/** @param {number} logged */
function step(logged) {
  const label = { value: "class", class_index: logged % 3 };
  return /** @type {any} */ ({ op_id: `op-${logged}`, item: { image_id: logged }, label, previous: null, logged });
}

test("steps go back from this page into the log, each once, to its beginning", async () => {
  const log = Array.from({ length: 45 }, (_, i) => step(45 - i));
  /** @type {(number | null)[]} */
  const asked = [];
  const history = new History(async (before) => {
    asked.push(before);
    return log.filter(({ logged }) => logged < (before ?? Infinity)).slice(0, 20);
  });
  history.push(log[1]);
  history.push(log[0]); // said on this page, and in the log by the time it is read
  await history.read();
  const undone = [];
  for (let last = history.pop(); last; last = history.pop()) {
    undone.push(last.logged);
    await new Promise(setImmediate);
  }
  assert.deepEqual(
    undone,
    log.map(({ logged }) => logged),
  );
  assert.deepEqual(asked, [null, 26, 6, 1]);
});

test("a log that cannot be read is read at the next step back", async () => {
  let reached = false;
  const history = new History(async (before) => {
    if (!reached) throw new Error("not there");
    return before === null ? [step(3)] : [];
  });
  await history.read();
  assert.equal(history.pop(), undefined);
  await new Promise(setImmediate);
  reached = true;
  await history.read();
  assert.equal(history.pop()?.logged, 3);
});

test("the time left follows from the rate of the last minute", () => {
  const times = [0, 1000, 2000, 3000]; // one a second
  assert.equal(rateWords(times, 3000), "60 a minute");
  assert.equal(timeLeftWords(times, 3000, 30), "under 1 min left");
  assert.equal(timeLeftWords(times, 3000, 300), "5 min left");
  assert.equal(timeLeftWords(times, 3000, 60 * 90), "1 h 30 min left");
  assert.equal(timeLeftWords(times, 3000, 0), "");
  assert.equal(timeLeftWords([0, 1000], 3000, 30), "");
});

test("what was undone is said again, step by step, until a new answer ends it", async () => {
  const history = new History(async () => []);
  for (const logged of [1, 2, 3]) history.push(step(logged));
  history.pop();
  history.pop();
  history.pop();
  assert.equal((await history.nextUndone())?.image_id, 1);
  history.push({ ...step(1), op_id: "again" }); // the same answer: the others wait still
  assert.equal((await history.nextUndone())?.image_id, 2);
  history.push({ ...step(2), label: { value: "reject", class_index: null } }); // another answer
  assert.equal(await history.nextUndone(), undefined);
});

test("after a reload the log says what can be said again", async () => {
  const undone = [5, 4].map((image_id) => ({ image_id, value: "class", class_index: image_id % 3 }));
  const history = new History(
    async () => [],
    async () => /** @type {any} */ (undone),
  );
  assert.equal((await history.nextUndone())?.image_id, 5);
  history.push({ ...step(5), op_id: "again" });
  assert.equal((await history.nextUndone())?.image_id, 4);
});

test("what others wrote on an image, and not what one wrote oneself", () => {
  const note = (/** @type {string} */ annotator, /** @type {string} */ text, flagged = false) => ({
    annotator,
    text,
    flagged,
    created_at: "",
  });
  const notes = [note("ann", "mine"), note("ben", "rim not visible", true), note("cleo", "", true)];
  assert.equal(othersWords(notes, "ann"), "ben: rim not visible ⚑ · cleo flags it");
  assert.equal(othersWords([notes[0]], "ann"), "");
});

test("a filter asks for what was filled in", () => {
  const empty = { class_index: "", from: "", to: "", annotator: "", source: "" };
  assert.deepEqual(filterQuery(empty), {});
  assert.equal(filterWords({}), "Filter");
  const query = filterQuery({ ...empty, class_index: "0", from: "25", to: "60" });
  assert.deepEqual(query, { class_index: "0", confidence_from: "0.25", confidence_to: "0.6" });
  assert.equal(filterWords(query), "Filter: 2 conditions");
});

test("what a reader said of an image, with the angles", () => {
  const classes = [{ name: "Big", key: "1", color: "" }];
  const reading = { annotator: "ann", value: /** @type {const} */ ("class"), class_index: 0, created_at: "" };
  assert.equal(readingWords(reading, classes), "Big");
  assert.equal(readingWords({ ...reading, angles: { left: 104.25, right: 99 } }, classes), "Big · 104.3° / 99.0°");
  assert.equal(readingWords({ ...reading, value: "unsure", class_index: null }, classes), "Unsure");
});
