// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { backoff, Outbox, standing } from "../../app/components/label_desk/outbox.js";
import { OutboxStore } from "../../app/components/label_desk/outbox_store.js";
import { ApiError } from "../../app/static/lib/api.js";

/** @typedef {import("../../app/components/label_desk/outbox_store.js").Operation} Operation */

/** The browser's storage, with room for so many entries. */
class Storage {
  constructor(room = Infinity) {
    this.room = room;
    /** @type {Map<string, string>} */
    this.kept = new Map();
  }

  get length() {
    return this.kept.size;
  }

  /** @param {number} index */
  key(index) {
    return [...this.kept.keys()][index] ?? null;
  }

  /** @param {string} key */
  getItem(key) {
    return this.kept.get(key) ?? null;
  }

  /** @param {string} key @param {string} value */
  setItem(key, value) {
    if (!this.kept.has(key) && this.kept.size >= this.room) throw new Error("QuotaExceededError");
    this.kept.set(key, value);
  }

  /** @param {string} key */
  removeItem(key) {
    this.kept.delete(key);
  }
}

/** An app that records what arrives, after it has failed in the ways that it was told. */
class App {
  /** @param {Error[]} failures of the first requests, one each @param {Set<string>} refuses operation ids */
  constructor(failures = [], refuses = new Set()) {
    this.failures = failures;
    this.refuses = refuses;
    /** @type {string[]} */
    this.log = [];
    /** @type {number[]} */
    this.pauses = [];
    /** @type {Map<number, string>} */
    this.images = new Map();
  }

  /** @param {string} _path @param {any} body */
  async post(_path, body) {
    const failure = this.failures.shift();
    if (failure) throw failure;
    const { entries } = body;
    for (const { op_id } of entries) {
      if (this.refuses.has(op_id)) throw new ApiError(422, { refused: true, op_id, error: "class index 10" });
    }
    this.log.push(...entries.map((/** @type {any} */ each) => each.op_id));
    return { progress: { reviewed: this.log.length, total: 9 } };
  }

  /** @param {number[]} ids */
  async items(ids) {
    return ids.filter((id) => this.images.has(id)).map((id) => ({ image_id: id, sha256: this.images.get(id) }));
  }

  /** @param {number} milliseconds */
  async pause(milliseconds) {
    this.pauses.push(milliseconds);
  }
}

/** @param {App} app @param {Storage} storage */
function outboxOf(app, storage = new Storage()) {
  const store = new OutboxStore("workspace", /** @type {any} */ (storage));
  return new Outbox(store, /** @type {any} */ (app), { changed() {}, progress() {} });
}

/** @param {number} n @returns {Omit<Operation, "at">} */
function label(n) {
  const body = { image_id: n, value: "class", class_index: 1, source: "human", op_id: `label-${n}`, annotator: "ann" };
  return {
    kind: "label",
    body: /** @type {any} */ (body),
    image_id: n,
    sha256: `hash-${n}`,
    origin: "synthetic",
    adds: 1,
    words: "cat",
  };
}

/** @param {number} n @returns {Omit<Operation, "at">} */
function undo(n) {
  const body = { op_id_to_undo: `label-${n}`, op_id: `undo-${n}`, annotator: "ann" };
  return { kind: "undo", body, image_id: n, sha256: `hash-${n}`, origin: "synthetic", adds: -1, words: "undo" };
}

test("a full disk and a lost connection are tried again until everything is saved, in order", async () => {
  const trouble = [new ApiError(503, {}), new ApiError(0, null), new TypeError("odd")];
  const app = new App(trouble);
  const storage = new Storage();
  const outbox = outboxOf(app, storage);
  await Promise.all([outbox.add(label(1)), outbox.add(label(2)), outbox.add(undo(2)), outbox.add(label(3))]);
  assert.deepEqual(app.log, ["label-1", "label-2", "undo-2", "label-3"]);
  assert.deepEqual(app.pauses, [500, 1000, 2000]);
  assert.equal(storage.length, 0);
  assert.deepEqual(standing(outbox), { state: "saved", words: "All saved" });
});

test("a refused entry is set aside and kept, and the others are saved", async () => {
  const app = new App([], new Set(["label-2"]));
  const storage = new Storage();
  const outbox = outboxOf(app, storage);
  outbox.sending = true; // gather first
  for (const n of [1, 2, 3]) outbox.add(label(n));
  outbox.sending = false;
  await outbox.send();
  assert.deepEqual(app.log, ["label-1", "label-3"]);
  assert.deepEqual(
    outbox.refused.map(({ body, refused }) => [body.op_id, refused]),
    [["label-2", "class index 10"]],
  );
  assert.deepEqual(standing(outbox), { state: "trouble", words: "1 refused" });
  const reloaded = outboxOf(app, storage);
  assert.equal(reloaded.refused.length, 1);
  reloaded.dismiss(reloaded.refused[0]);
  assert.equal(storage.length, 0);
});

test("a refusal that names no entry of the request drops nothing", async () => {
  const app = new App([new ApiError(422, { refused: true, op_id: "other" }), new ApiError(400, {})]);
  const outbox = outboxOf(app);
  await outbox.add(label(1));
  assert.deepEqual(app.log, ["label-1"]);
  assert.equal(outbox.refused.length, 0);
});

test("a refused answer that was taken back is forgotten with its undo", async () => {
  const app = new App([], new Set(["label-1"]));
  const outbox = outboxOf(app);
  outbox.sending = true;
  outbox.add(label(1));
  outbox.add(undo(1));
  outbox.sending = false;
  await outbox.send();
  assert.deepEqual(app.log, []);
  assert.equal(outbox.refused.length + outbox.waiting.length, 0);
});

test("what a closed page left is sent by the next one, but only to the image that was seen", async () => {
  const storage = new Storage();
  const closed = outboxOf(new App(), storage);
  closed.sending = true;
  for (const n of [1, 2]) closed.add(label(n));
  const app = new App();
  app.images.set(1, "hash-1").set(2, "the hash of another image");
  const next = outboxOf(app, storage);
  assert.equal(next.waiting.length, 2);
  await next.send();
  assert.deepEqual(app.log, ["label-1"]);
  assert.equal(next.refused[0].body.op_id, "label-2");
});

test("an answer keeps its place when the clock goes backwards", () => {
  const storage = new Storage();
  const outbox = outboxOf(new App(), storage);
  outbox.sending = true;
  outbox.last = Date.now() + 3_600_000;
  for (const n of [5, 1, 3]) outbox.add(label(n));
  const kept = new OutboxStore("workspace", /** @type {any} */ (storage)).all();
  assert.deepEqual(
    kept.map(({ image_id }) => image_id),
    [5, 1, 3],
  );
});

test("a browser without room says so, and still sends", async () => {
  const app = new App();
  const outbox = outboxOf(app, new Storage(0));
  const sent = outbox.add(label(1));
  assert.equal(outbox.full, true);
  await sent;
  assert.deepEqual(app.log, ["label-1"]);
});

test("another workspace's answers are not touched", () => {
  const storage = new Storage();
  storage.setItem("synthaug.outbox.elsewhere.op", JSON.stringify({ ...label(1), at: 1 }));
  storage.setItem("synthaug.outbox.workspace.damaged", "{");
  assert.deepEqual(new OutboxStore("workspace", /** @type {any} */ (storage)).all(), []);
  assert.equal(storage.length, 2);
});

test("the pause between tries doubles, up to eight seconds", () => {
  assert.deepEqual([1, 2, 5, 6, 50].map(backoff), [500, 1000, 8000, 8000, 8000]);
});
