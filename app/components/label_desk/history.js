// @ts-check
// What can be undone: what was said on this page, and before it what the app's log has of this person.

/** @typedef {import("../../static/lib/types.js").Item} Item */
/** @typedef {import("../../static/lib/types.js").Label} Label */
/** @typedef {{ op_id: string, item: Item, previous: Label | null, logged?: number }} Step `logged`: its id in the log */

const FEW = 20;

export class History {
  /** @param {(before: number | null) => Promise<Step[]>} older newest first; none: that was all */
  constructor(older) {
    this.older = older;
    /** Oldest first. @type {Step[]} */
    this.steps = [];
    /** Operations said on this page: the log has them too by now. @type {Set<string>} */
    this.said = new Set();
    /** @type {number | null} */
    this.before = null;
    /** @type {Promise<void> | null} */
    this.reading = null;
    this.ended = false;
  }

  /** @param {Step} step */
  push(step) {
    this.said.add(step.op_id);
    this.steps.push(step);
  }

  /** The last step, which is none any more. */
  pop() {
    const step = this.steps.pop();
    this.read();
    return step;
  }

  /** Read older steps where few are left. */
  read() {
    if (this.ended || this.steps.length >= FEW) return Promise.resolve();
    this.reading ??= this.readOlder().finally(() => {
      this.reading = null;
    });
    return this.reading;
  }

  /** A failure is tried again at the next step back. */
  async readOlder() {
    try {
      const found = await this.older(this.before);
      this.ended = !found.length;
      this.before = found.at(-1)?.logged ?? this.before;
      this.steps.unshift(...found.filter(({ op_id }) => !this.said.has(op_id)).reverse());
    } catch {
      // The app cannot be reached: the desk says so.
    }
  }
}
