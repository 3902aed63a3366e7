// @ts-check
// A page of 100 images sorted by predicted class and confidence: mark the wrong ones, accept the others with one key,
// and undo that with one key. Events on document:
//   in   synthaug:grid-review {scope, ids}   open it over the desk's queue; `ids` only for a selection
//   out  synthaug:desk                       it is closed

import { getJson } from "../../static/lib/api.js";
import { announce, closest, find, hear, makeButton } from "../../static/lib/dom.js";
import { review } from "../../static/lib/session.js";
import { count, number } from "../../static/lib/words.js";
import { apply, batchOf, save, undo } from "../grid/batches.js";
import { isLocked } from "../grid/order.js";
import { Tiles } from "../grid/tiles.js";
import { leased } from "../label_desk/sources.js";
import { isMeant, schemeInUse, still } from "../landmarks/still.js";
import { columnsOf, PAGE, pageWords, restOf } from "./page.js";

/** @typedef {import("../grid/batches.js").Batch} Batch */
/** @typedef {import("../scatter/points.js").Points} Points */
/** @typedef {{ batch: Batch, page: number }} Done */
/** @typedef {{ name: string, key: string }} ClassProps */

/** @type {Record<string, string>} */
const KEYS = { Enter: "accept", x: "reject", z: "undo", PageDown: "next", PageUp: "previous", Escape: "close" };

class GridReview {
  /**
   * @param {HTMLElement} root
   * @param {ClassProps[]} classes
   */
  constructor(root, classes) {
    this.root = root;
    this.classes = classes;
    this.tiles = new Tiles(this.part("scroller"), this.part("canvas"), {
      problem: (message) => this.say(message),
      painted: () => {},
      toggled: ({ point }) => this.toggle(point),
      pictured: drawLandmarks,
    });
    /** @type {number[]} */
    this.ids = [];
    this.scope = "";
    this.page = 0;
    /** @type {Points} */
    this.data = columnsOf([], []);
    /** The wrong ones, as positions on the page. @type {Set<number>} */
    this.marked = new Set();
    /** Ids that were marked when their page was accepted, and have no answer yet. @type {Set<number>} */
    this.left = new Set();
    /** @type {Done[]} */
    this.done = [];
    this.busy = false;
    this.part("classes").replaceChildren(...classes.map(classButton));
    this.listen();
  }

  /** @param {string} name */
  part(name) {
    return find(this.root, `[data-part="${name}"]`, HTMLElement);
  }

  get pages() {
    return Math.max(1, Math.ceil(this.ids.length / PAGE));
  }

  // ---------------------------------------------------------------- pages

  /** @param {{ scope: string, ids: number[] | null }} queue */
  async open({ scope, ids }) {
    this.root.hidden = false;
    this.say("Loading the queue …");
    this.scope = scope;
    try {
      const query = new URLSearchParams({ scope, order: "predicted-class" });
      this.ids = ids ?? (await getJson(`/data/queue?${query}`)).ids;
      this.done = [];
      this.left.clear();
      await this.show(0);
    } catch (error) {
      this.say(`The queue cannot be loaded: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** @param {number} page */
  async show(page) {
    this.page = Math.max(0, Math.min(this.pages - 1, page));
    const ids = this.ids.slice(this.page * PAGE, (this.page + 1) * PAGE);
    this.data = columnsOf(
      await leased(ids, this.scope),
      this.classes.map(({ name }) => name),
    );
    this.marked = new Set();
    this.tiles.show(this.data, [...this.data.columns.ids.keys()], this.marked);
    this.say(this.ids.length ? "" : "Nothing left to review.");
    this.refresh();
    this.root.dataset.page = String(this.page);
    this.tiles.focus(0);
  }

  refresh() {
    const rest = restOf(this.data, this.marked).length;
    this.tiles.refresh();
    this.part("summary").textContent = pageWords(this.data, this.page, this.pages);
    this.part("accept").textContent = this.marked.size
      ? `Accept the other ${number(rest)}`
      : `Accept all ${number(rest)}`;
    this.part("marked").textContent = `${number(this.marked.size)} marked wrong`;
    this.part("left").textContent = `Review ${count(this.left.size, "marked image")} one by one`;
    const last = this.done.at(-1)?.batch;
    this.part("undo").textContent = last ? `Undo ${last.name} (${number(last.entries.length)})` : "Undo";
    this.enable("[data-do=accept]", rest > 0);
    this.enable("[data-on-marked]", this.marked.size > 0);
    this.enable("[data-do=undo]", last !== undefined);
    this.enable("[data-do=previous]", this.page > 0);
    this.enable("[data-do=next]", this.page < this.pages - 1);
    find(this.root, "[data-do=left]", HTMLElement).hidden = !this.left.size;
  }

  /** @param {string} selector @param {boolean} on */
  enable(selector, on) {
    for (const button of this.root.querySelectorAll(selector)) button.toggleAttribute("disabled", this.busy || !on);
  }

  /** @param {string} text */
  say(text) {
    this.part("status").textContent = text;
  }

  // ---------------------------------------------------------------- marks

  /** @param {number} point */
  toggle(point) {
    if (this.busy || isLocked(this.data.columns, point)) return;
    if (!this.marked.delete(point)) this.marked.add(point);
    this.refresh();
  }

  // ---------------------------------------------------------------- answers

  /** Accept the prediction of all images that are not marked; the marked ones are kept for review. */
  async accept() {
    const { predicted, ids } = this.data.columns;
    const rest = restOf(this.data, this.marked);
    const batch = batchOf("accept", this.data, rest, "class", "accepted", (point) => predicted[point]);
    const wrong = [...this.marked].map((point) => ids[point]);
    if (!batch.entries.length || !(await this.record(batch))) return;
    for (const id of wrong) this.left.add(id);
    if (this.page < this.pages - 1) await this.show(this.page + 1);
    this.say(`${count(batch.entries.length, "image")} accepted`);
    this.refresh();
  }

  /** @param {"class" | "reject"} value @param {number | null} index */
  async answerMarked(value, index) {
    const name = index === null ? "reject" : `label as ${this.classes[index].name}`;
    const batch = batchOf(name, this.data, [...this.marked], value, "human", () => index);
    if (!batch.entries.length || !(await this.record(batch))) return;
    for (const { point } of batch.entries) this.left.delete(this.data.columns.ids[point]);
    this.marked.clear();
    this.say(`${count(batch.entries.length, "image")}: ${name}`);
    this.refresh();
  }

  /** Whether a batch was saved; entries saved before a failure can be undone. @param {Batch} batch */
  async record(batch) {
    let saved = true;
    this.busy = true;
    this.refresh();
    try {
      await save(batch, (changes) => apply(batch.data, changes));
    } catch (error) {
      saved = false;
      const reason = error instanceof Error ? error.message : error;
      this.say(`${number(batch.saved)} of ${number(batch.entries.length)} saved; the rest was not: ${reason}`);
    }
    this.busy = false;
    const entries = batch.entries.slice(0, batch.saved);
    if (entries.length) this.done.push({ batch: { ...batch, entries }, page: this.page });
    this.refresh();
    return saved;
  }

  /** Undo the last batch as a whole, and return to its page. */
  async undo() {
    const last = this.done.at(-1);
    if (!last) return;
    this.busy = true;
    this.refresh();
    try {
      await undo(last.batch, () => {});
      this.done.pop();
      await this.show(last.page);
      for (const id of this.data.columns.ids) this.left.delete(id);
      this.say(`Undone: ${last.batch.name} (${number(last.batch.entries.length)})`);
    } catch (error) {
      this.say(`Not all images were undone: ${error instanceof Error ? error.message : error}. Press Undo again.`);
    }
    this.busy = false;
    this.refresh();
  }

  // ---------------------------------------------------------------- keys and buttons

  /** @param {string} action */
  act(action) {
    /** @type {Record<string, () => void>} */
    const actions = {
      accept: () => this.accept(),
      reject: () => this.answerMarked("reject", null),
      undo: () => this.undo(),
      next: () => this.show(this.page + 1),
      previous: () => this.show(this.page - 1),
      left: () => review([...this.left], "grid"),
      close: () => {
        this.root.hidden = true;
        announce("synthaug:desk");
      },
    };
    if (!this.busy) actions[action]?.();
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const { key, ctrlKey, metaKey, altKey, repeat, isComposing } = event;
    if (this.root.hidden || !this.root.isConnected || metaKey || altKey || isComposing) return;
    const small = key.length === 1 ? key.toLowerCase() : key;
    const index = this.classes.findIndex((each) => each.key !== "" && each.key === small);
    const action = KEYS[small];
    if (ctrlKey && small !== "z") return;
    if (this.tiles.step(key)) return event.preventDefault();
    if (repeat || (index < 0 && !action)) return;
    event.preventDefault();
    if (index >= 0 && !ctrlKey) {
      if (!this.busy) this.answerMarked("class", index);
    } else this.act(action);
  }

  listen() {
    document.addEventListener("keydown", (event) => this.onKey(event));
    this.tiles.canvas.addEventListener("click", (event) => {
      const tile = this.tiles.tileAt(event);
      if (tile) this.toggle(tile.point);
    });
    this.root.addEventListener("click", (event) => {
      const button = closest(event, "[data-do], [data-class]");
      if (!(button instanceof HTMLButtonElement) || button.disabled) return;
      if (button.dataset.do) this.act(button.dataset.do);
      else if (!this.busy) this.answerMarked("class", Number(button.dataset.class));
    });
    hear(this.root, "synthaug:grid-review", (queue) => this.open(queue));
    window.addEventListener("beforeunload", (event) => {
      if (this.busy) event.preventDefault();
    });
  }
}

/**
 * @param {ClassProps} each
 * @param {number} index
 */
function classButton({ name, key }, index) {
  const button = makeButton("sa-button small", key ? `${name} (${key.toUpperCase()})` : name);
  button.dataset.class = String(index);
  button.dataset.onMarked = "";
  button.title = `Label the marked images as "${name}"`;
  return button;
}

/**
 * The landmarks that people or a model placed, over a tile's picture.
 * @param {HTMLElement} picture
 * @param {import("../../static/lib/types.js").Item} item
 */
async function drawLandmarks(picture, item) {
  if (!isMeant(item)) return;
  const scheme = await schemeInUse();
  if (scheme) picture.append(still(scheme, item, "meet"));
}

/** @param {import("../../static/lib/types.js").Component} component */
export function mount({ element, props }) {
  new GridReview(find(element, ".gr", HTMLElement), props.classes);
}
