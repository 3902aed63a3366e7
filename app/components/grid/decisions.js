// @ts-check
// What a person decides about many images at once: saved in parts, taken back as one, and what is said of it.

import { announce, find, makeButton } from "../../static/lib/dom.js";
import { count, number } from "../../static/lib/words.js";
import { apply, isRefusal, save, undo } from "./batches.js";
import { Tagging } from "./tagging.js";

/** @typedef {import("./batches.js").Batch} Batch */
/** @typedef {import("./batches.js").Change} Change */

export class Decisions {
  /**
   * @param {HTMLElement} root
   * @param {() => void} changed whether it is busy, or what can be undone
   */
  constructor(root, changed) {
    this.root = root;
    this.changed = changed;
    this.status = find(root, '[data-part="status"]', HTMLElement);
    this.tagging = new Tagging(root);
    /** Saved and not undone, oldest first. @type {Batch[]} */
    this.batches = [];
    this.busy = false;
    window.addEventListener("beforeunload", (event) => {
      if (this.busy) event.preventDefault();
    });
  }

  /**
   * @param {string} text
   * @param {string} tone
   */
  say(text, tone = "") {
    this.status.textContent = text;
    this.status.dataset.tone = tone;
  }

  /** @param {boolean} on */
  setBusy(on) {
    this.busy = on;
    this.root.dataset.busy = String(on);
    this.changed();
  }

  /** @param {import("./batches.js").Labeled} data @param {Change[]} changes */
  apply(data, changes) {
    apply(data, changes);
    announce("synthaug:labeled");
  }

  /** @param {Batch} batch */
  async save(batch) {
    const total = number(batch.entries.length);
    this.batches = this.batches.filter((each) => each !== batch && each.entries[0] !== batch.entries[0]);
    this.setBusy(true);
    try {
      await save(batch, (changes, done) => {
        this.apply(batch.data, changes);
        this.say(`${number(done)} of ${total} saved`);
      });
      this.batches.push(batch);
      this.say(`${count(batch.entries.length, "label")} saved: ${batch.name}`, "good");
    } catch (error) {
      const reason = error instanceof Error ? error.message : error;
      this.say(`${number(batch.saved)} of ${total} saved; the rest was not: ${reason}`, "bad");
      if (batch.saved) this.batches.push({ ...batch, entries: batch.entries.slice(0, batch.saved) });
      if (!isRefusal(error)) {
        this.status.append(
          " ",
          makeButton("sa-scatter-link", "Try again", () => this.save(batch)),
        );
      }
    } finally {
      this.setBusy(false);
    }
  }

  /** @param {number[]} ids of images @param {boolean} on */
  async tag(ids, on) {
    this.setBusy(true);
    try {
      this.say(await this.tagging.put(ids, on), "good");
    } catch (error) {
      this.say(error instanceof Error ? error.message : String(error), "bad");
    } finally {
      this.setBusy(false);
    }
  }

  async undo() {
    const batch = this.batches.at(-1);
    if (!batch) return;
    const total = number(batch.entries.length);
    let undone = 0;
    this.setBusy(true);
    try {
      await undo(batch, (done) => {
        undone = done;
        this.say(`${number(done)} of ${total} undone`);
      });
      this.batches.pop();
      this.apply(
        batch.data,
        batch.entries.map(({ before }) => before),
      );
      this.say(`Undone: ${batch.name} (${total})`, "good");
    } catch (error) {
      const reason = error instanceof Error ? error.message : error;
      this.say(`Only ${number(undone)} undone: ${reason}. Undo again to finish.`, "bad");
    } finally {
      this.setBusy(false);
    }
  }
}
