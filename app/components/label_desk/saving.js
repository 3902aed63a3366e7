// @ts-check
// What the desk says of its outbox: how much is saved, what is refused, what is wrong.

import { hear } from "../../static/lib/dom.js";
import { postSigned } from "../../static/lib/session.js";
import { Outbox, standing } from "./outbox.js";
import { OutboxStore } from "./outbox_store.js";

/** @typedef {import("../../static/lib/types.js").Progress} Progress */
/**
 * @typedef {object} Listeners
 * @property {() => void} changed
 * @property {(progress: Progress) => void} progress
 * @property {(imageId: number) => void} goTo
 */

export class Saving {
  /**
   * @param {HTMLElement} root
   * @param {import("./view.js").DeskView} view
   * @param {string} owner the workspace and the person: nobody's answers are sent under another's name
   * @param {(ids: number[]) => Promise<import("../../static/lib/types.js").Item[]>} items
   * @param {Listeners} listeners
   */
  constructor(root, view, owner, items, listeners) {
    this.view = view;
    this.listeners = listeners;
    this.problem = "";
    this.troubled = false;
    const wire = { post: postSigned, items, pause: this.sleepOf(root) };
    this.outbox = new Outbox(new OutboxStore(owner, localStorage), wire, {
      changed: () => this.show(),
      progress: listeners.progress,
    });
  }

  /** A pause that ends early when an app that could not be reached is there again. @param {HTMLElement} root */
  sleepOf(root) {
    /** @type {() => void} */
    let wake = () => {};
    hear(root, "synthaug:jobs", () => {
      if (this.outbox.unreachable) wake(); // the shell's polling got an answer
    });
    /** @param {number} milliseconds @returns {Promise<void>} */
    return (milliseconds) =>
      new Promise((resolve) => {
        wake = resolve;
        setTimeout(resolve, milliseconds);
      });
  }

  show() {
    const { outbox, view } = this;
    const troubled = outbox.failures > 0;
    view.showSaved(standing(outbox), outbox.waiting.length);
    view.showRefused(
      outbox.refused,
      ({ image_id }) => this.listeners.goTo(image_id),
      (operation) => outbox.dismiss(operation),
    );
    if (this.troubled !== troubled)
      view.announce(troubled ? "Saving fails. Answers are kept." : standing(outbox).words);
    this.troubled = troubled;
    this.showProblem();
    this.listeners.changed();
  }

  /** @param {string} text */
  setProblem(text) {
    this.problem = text;
    this.showProblem();
  }

  showProblem() {
    const { full, failures, trouble } = this.outbox;
    const kept = full
      ? "This browser's storage is full: keep this page open until all is saved."
      : failures
        ? `Not saved yet: ${trouble}. The answers are kept in this browser and sent again.`
        : "";
    this.view.showProblem([kept, this.problem].filter(Boolean).join(" "));
  }
}
