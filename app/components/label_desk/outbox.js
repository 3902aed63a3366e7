// @ts-check
// What was said and is not saved yet: sent in order, one request at a time, until the app has it. Whatever goes
// wrong is tried again for ever, except that the app looks at an entry and refuses it by its id: this one is kept
// and shown. The app ignores an operation id that it has, so that sending again is always safe.

import { ApiError } from "../../static/lib/api.js";

/** @typedef {import("../../static/lib/types.js").Item} Item */
/** @typedef {import("../../static/lib/types.js").Progress} Progress */
/** @typedef {import("./outbox_store.js").Operation} Operation */
/** @typedef {import("./outbox_store.js").OutboxStore} OutboxStore */
/**
 * @typedef {object} Wire
 * @property {(path: string, body: unknown) => Promise<any>} post throws ApiError
 * @property {(ids: number[]) => Promise<Item[]>} items those that are there; throws ApiError
 * @property {(milliseconds: number) => Promise<void>} pause
 */
/**
 * @typedef {object} Listeners
 * @property {() => void} changed
 * @property {(progress: Progress) => void} progress
 */

const RETRY_MS = 500;
const LONGEST_RETRY_MS = 8000;
const BATCH = 50;
const CHECKED_AT_ONCE = 100;

/**
 * Milliseconds until the next try.
 * @param {number} failures one after the other
 */
export function backoff(failures) {
  return Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** (failures - 1));
}

export class Outbox {
  /**
   * @param {OutboxStore} store
   * @param {Wire} wire
   * @param {Listeners} listeners
   */
  constructor(store, wire, listeners) {
    this.store = store;
    this.wire = wire;
    this.listeners = listeners;
    const kept = store.all();
    /** Not saved yet, oldest first. @type {Operation[]} */
    this.waiting = kept.filter(({ refused }) => refused === undefined);
    /** Refused, and not seen to yet. @type {Operation[]} */
    this.refused = kept.filter(({ refused }) => refused !== undefined);
    /** How many of `waiting` an earlier page left: whether their images are still the same is not known yet. */
    this.unchecked = this.waiting.length;
    this.last = kept.at(-1)?.at ?? 0;
    this.failures = 0;
    /** Why the last try failed; "" after one that did not. */
    this.trouble = "";
    /** Whether this browser could not keep an answer: it is on this page only. */
    this.full = false;
    /** Whether the last try did not reach the app at all. */
    this.unreachable = false;
    this.sending = false;
    /** @type {() => void} */
    this.failedOnce = () => {};
    /** Fulfilled when a try fails for the first time. @type {Promise<void>} */
    this.firstFailure = new Promise((resolve) => {
      this.failedOnce = resolve;
    });
  }

  /** What the answers waiting add to the number of labeled images. @param {"real" | "synthetic"} origin */
  adds(origin) {
    return this.waiting.reduce((sum, each) => sum + (each.origin === origin ? each.adds : 0), 0);
  }

  /**
   * Keep an operation, and send it.
   * @param {Omit<Operation, "at">} said
   */
  add(said) {
    this.last = Math.max(Date.now(), this.last + 1);
    const operation = { ...said, at: this.last };
    this.waiting.push(operation);
    this.full = !this.store.put(operation);
    this.listeners.changed();
    return this.send();
  }

  /** Send until nothing waits. */
  async send() {
    if (this.sending) return;
    this.sending = true;
    while (this.waiting.length) {
      try {
        await (this.unchecked ? this.check() : this.sendBatch());
        this.failures = 0;
        this.trouble = "";
      } catch (error) {
        this.failures += 1;
        this.trouble = error instanceof Error ? error.message : String(error);
        this.unreachable = error instanceof ApiError && error.status === 0;
        this.failedOnce();
      }
      this.listeners.changed();
      if (this.failures) await this.wire.pause(backoff(this.failures));
    }
    this.sending = false;
  }

  /** Answers that an earlier page left count only for the images that they were given for. */
  async check() {
    const page = this.waiting.slice(0, Math.min(this.unchecked, CHECKED_AT_ONCE));
    const items = await this.wire.items([...new Set(page.map(({ image_id }) => image_id))]);
    const known = new Map(items.map((item) => [item.image_id, item.sha256]));
    for (const operation of page) {
      if (known.get(operation.image_id) === operation.sha256) continue;
      this.refuse(operation, "This workspace has another image under that number now, or none.");
    }
    await this.sendBatch(this.waiting.filter((operation) => page.includes(operation)));
  }

  /** @param {Operation[]} batch sent in one request where they are labels */
  async sendBatch(batch = this.waiting) {
    const next = this.nextOf(batch);
    if (!next.length) return;
    try {
      const { progress } = await this.post(next);
      this.settle(next);
      this.listeners.progress(progress);
    } catch (error) {
      this.separate(next, error);
    }
  }

  /** The first entry, with the labels right behind it where it is a label itself. @param {Operation[]} batch */
  nextOf(batch) {
    const end = batch.findIndex(({ kind }) => kind === "undo");
    const labels = end < 0 ? batch.length : end;
    return batch.slice(0, labels === 0 ? 1 : Math.min(BATCH, labels));
  }

  /** @param {Operation[]} batch */
  post(batch) {
    const path = batch[0].kind === "undo" ? "/data/undo" : "/data/labels";
    return this.wire.post(path, { entries: batch.map(({ body }) => body) });
  }

  /**
   * After a request that failed: the entry that was refused is set aside. Throws where nothing was refused.
   * @param {Operation[]} batch
   * @param {unknown} error
   */
  separate(batch, error) {
    if (!(error instanceof ApiError) || error.body?.refused !== true) throw error;
    const refused = batch.find(({ body }) => body.op_id === error.body.op_id);
    if (refused) this.refuse(refused, error.message);
    else throw error;
  }

  /** @param {Operation[]} batch */
  settle(batch) {
    for (const operation of batch) this.take(operation);
  }

  /** Out of the queue. @param {Operation} operation */
  take(operation) {
    const place = this.waiting.indexOf(operation);
    if (place < 0) return;
    this.waiting.splice(place, 1);
    if (place < this.unchecked) this.unchecked -= 1;
    this.store.remove(operation);
  }

  /**
   * Set an entry aside for the person to see. One that was taken back already says nothing any more.
   * @param {Operation} operation
   * @param {string} reason
   */
  refuse(operation, reason) {
    const undo = this.waiting.find(
      ({ body }) => "op_id_to_undo" in body && body.op_id_to_undo === operation.body.op_id,
    );
    this.take(operation);
    if (undo) this.take(undo);
    else {
      const refused = { ...operation, refused: reason };
      this.refused.push(refused);
      this.full = !this.store.put(refused);
    }
  }

  /** The person has seen it. @param {Operation} operation */
  dismiss(operation) {
    this.refused = this.refused.filter((each) => each !== operation);
    this.store.remove(operation);
    this.listeners.changed();
  }
}

/**
 * What the desk says of the outbox; "All saved" only when the app has everything.
 * @param {Outbox} outbox
 * @returns {{ state: "saved" | "saving" | "trouble", words: string }}
 */
export function standing({ waiting, refused, failures }) {
  const parts = [];
  if (waiting.length) parts.push(`${waiting.length} unsaved`);
  if (refused.length) parts.push(`${refused.length} refused`);
  if (failures) parts.push("trying again");
  if (!parts.length) return { state: "saved", words: "All saved" };
  return { state: failures || refused.length ? "trouble" : "saving", words: parts.join(" · ") };
}
