// @ts-check
// What is known of the point under the pointer, with its image.

import { fetchItems, thumbnail } from "../../static/lib/api.js";
import { make } from "../../static/lib/dom.js";
import { percent } from "../../static/lib/words.js";
import { LABELED, NONE, ORIGINS, STATES } from "./points.js";

/** @typedef {import("../../static/lib/types.js").Item} Item */
/** @typedef {import("./model.js").PlotModel} PlotModel */

const MOST_KEPT = 4000;
const REST_MS = 40; // how long the pointer rests on a point before its record is asked for
const BESIDE = 16;
const EDGE = 4;

export class Tip {
  /** @param {HTMLElement} box */
  constructor(box) {
    this.box = box;
    this.point = -1;
    /** @type {Map<number, Item>} */
    this.items = new Map();
  }

  /** Forget the records: the points are others now. */
  clear() {
    this.items.clear();
    this.hide();
  }

  hide() {
    this.point = -1;
    this.box.hidden = true;
  }

  /**
   * @param {PlotModel} model
   * @param {number} i the point
   * @param {[number, number]} at its place in CSS pixels
   */
  show(model, i, at) {
    this.point = i;
    this.describe(model, i, at);
    if (this.items.has(model.columns.ids[i])) return;
    setTimeout(() => {
      if (this.point === i) this.fetch(model, i, at);
    }, REST_MS);
  }

  /**
   * @param {PlotModel} model
   * @param {number} i
   * @param {[number, number]} at
   */
  async fetch(model, i, at) {
    const id = model.columns.ids[i];
    const [item] = await fetchItems([id]).catch(() => []);
    if (!item) return;
    if (this.items.size > MOST_KEPT) this.items.clear();
    this.items.set(id, item);
    if (this.point === i) this.describe(model, i, at);
  }

  /**
   * @param {PlotModel} model
   * @param {number} i
   * @param {[number, number]} at
   */
  describe(model, i, [x, y]) {
    const item = this.items.get(model.columns.ids[i]);
    const facts = factsOf(model, i, item).flatMap(([term, value]) => [make("dt", "", term), make("dd", "", value)]);
    const picture = make("div", "sa-scatter-thumb", item ? pictureOf(item) : null);
    this.box.replaceChildren(picture, make("strong", "", ORIGINS[model.columns.origin[i]]), make("dl", "", ...facts));
    this.box.hidden = false;
    const { offsetWidth: width, offsetHeight: height, offsetParent: stage } = this.box;
    const right = x + BESIDE + width < (stage?.clientWidth ?? 0);
    this.box.style.left = `${right ? x + BESIDE : Math.max(EDGE, x - width - BESIDE)}px`;
    this.box.style.top = `${Math.max(EDGE, Math.min((stage?.clientHeight ?? 0) - height - EDGE, y - height / 2))}px`;
  }
}

/** @param {Item} item */
function pictureOf(item) {
  const image = make("img");
  image.alt = "";
  image.src = thumbnail(item);
  return image;
}

/**
 * Terms and values; what is not known is left out.
 * @param {PlotModel} model
 * @param {number} i
 * @param {Item | undefined} item
 * @returns {[string, string][]}
 */
function factsOf({ columns, header }, i, item) {
  /** @param {number} index */
  const name = (index) => (index === NONE ? null : header.classes[index]);
  /** @param {number} value */
  const distance = (value) => (Number.isNaN(value) ? null : value.toPrecision(2));
  const guess = name(columns.predicted[i]);
  const sure = columns.confidence[i];
  const state = columns.state[i];
  /** @type {[string, string | null | undefined][]} */
  const facts = [
    ["prompt", item?.prompt],
    ["prompted", name(columns.prompted[i])],
    ["prediction", guess === null || Number.isNaN(sure) ? guess : `${guess}, ${percent(sure)}`],
    ["label", state === LABELED ? name(columns.label[i]) : STATES[state]],
    ["from real", distance(columns.ood_real[i])],
    ["from synthetic", distance(columns.ood_synthetic[i])],
  ];
  return /** @type {[string, string][]} */ (facts.filter(([, value]) => value));
}
