// @ts-check
// The cards of the suspects. Events on document:
//   in   synthaug:points   {n}        the map is drawn; the suspects can be counted now
//   in   synthaug:wanted   {queue}    the address names a queue
//   out  synthaug:queue    Queue      show these images in the grid
//   in   synthaug:shown    {queue | null}   which queue is shown now
//   in   synthaug:labeled             labels have changed, so the queues may have changed too

import { getJson } from "../../static/lib/api.js";
import { announce, closest, find, hear } from "../../static/lib/dom.js";
import { number } from "../../static/lib/words.js";
import { Saved } from "./saved.js";

/** @typedef {import("../../static/lib/types.js").Queue} Queue */

const SAVED = "set:"; // and the name of a saved selection
const MOST = 200_000; // points up to which the suspects are counted automatically
const QUIET_MS = 1500; // after the last label, before counting again

class Suspects {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.timer = 0;
    /** Whether there are so many points that a queue is computed only when it is opened. */
    this.many = false;
    this.saved = new Saved(root, (name) => this.open(SAVED + name));
    root.addEventListener("click", (event) => {
      const { kind } = closest(event, "[data-kind]")?.dataset ?? {};
      if (kind) this.open(kind);
    });
    hear(root, "synthaug:points", ({ n }) => this.countSome(n));
    hear(root, "synthaug:wanted", ({ queue }) => this.open(queue));
    hear(root, "synthaug:shown", ({ queue }) => this.press(queue));
    hear(root, "synthaug:labeled", () => {
      if (!this.many) this.countLater();
    });
  }

  /** @returns {NodeListOf<HTMLButtonElement>} */
  get cards() {
    return this.root.querySelectorAll("[data-kind]");
  }

  countLater() {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.count(), QUIET_MS);
  }

  /** Count now; if that would take minutes, count a queue only when it is opened. @param {number} n points */
  countSome(n) {
    this.many = n > MOST;
    if (!this.many) return this.count();
    for (const card of this.cards) {
      card.disabled = false;
      find(card, '[data-part="count"]', HTMLElement).textContent = "open";
    }
    return undefined;
  }

  /** Count one kind after the other, because the app computes one at a time. */
  async count() {
    for (const card of this.cards) {
      try {
        this.show(card, await this.fetch(String(card.dataset.kind)));
      } catch (error) {
        find(card, '[data-part="count"]', HTMLElement).textContent = "?";
        card.title = error instanceof Error ? error.message : String(error);
      }
    }
    this.root.dataset.counted = "true";
  }

  /** @param {string} kind @returns {Promise<Queue>} */
  fetch(kind) {
    const saved = kind.startsWith(SAVED);
    const path = saved
      ? `selections/${encodeURIComponent(kind.slice(SAVED.length))}`
      : `suspects/${encodeURIComponent(kind)}`;
    return getJson(`/data/${path}`);
  }

  /** @param {HTMLButtonElement} card @param {Queue} queue */
  show(card, queue) {
    find(card, '[data-part="count"]', HTMLElement).textContent = number(queue.ids.length);
    card.disabled = !queue.ids.length;
    card.title = queue.note;
  }

  /** @param {string} kind */
  async open(kind) {
    try {
      const queue = await this.fetch(kind);
      announce("synthaug:queue", queue);
      for (const card of this.cards) if (card.dataset.kind === kind) this.show(card, queue);
    } catch {
      announce("synthaug:shown", { queue: null }); // the address names an unknown queue, or the app cannot be reached
    }
  }

  /** @param {string | null} queue */
  press(queue) {
    for (const card of this.cards) card.setAttribute("aria-pressed", String(card.dataset.kind === queue));
    this.saved.show(queue?.startsWith(SAVED) ? queue.slice(SAVED.length) : "");
  }
}

/** @param {import("../../static/lib/types.js").Component} component */
export function mount({ element }) {
  new Suspects(find(element, ".sa-suspects", HTMLElement));
  announce("synthaug:suspects");
}
