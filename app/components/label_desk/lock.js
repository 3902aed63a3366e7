// @ts-check
// A real test image keeps the class it has: its buttons are off and say why, and an owner corrects it.

import { find } from "../../static/lib/dom.js";
import { Correction } from "../correction/correction.js";
import { VALUES } from "./words.js";

/** @typedef {import("../../static/lib/types.js").Item} Item */
/** @typedef {import("../../static/lib/types.js").Label} Label */
/** @typedef {import("../../static/lib/types.js").PlacedLandmarks} PlacedLandmarks */
/** @typedef {import("./words.js").ClassProps} ClassProps */

export const LOCKED = "The label of this test image is locked: it measures the models.";
const BUTTONS = "[data-class], [data-do=reject], [data-do=unsure]";

/**
 * An image as it is after an answer; the same record unless that locks it.
 * @param {Item} item
 * @param {Label} label
 * @param {PlacedLandmarks | null} placed
 * @returns {Item}
 */
export function answered(item, { value, class_index }, placed) {
  if (item.origin !== "real" || item.split !== "test" || value !== "class") return item;
  const { landmarks } = item;
  const kept =
    landmarks && placed ? { ...landmarks, points: placed.points, origin: /** @type {const} */ ("answer") } : landmarks;
  return { ...item, locked: true, label_value: value, label_class: class_index, landmarks: kept };
}

export class Lock {
  /**
   * @param {HTMLElement} desk
   * @param {ClassProps[]} classes
   * @param {(imageId: number) => void} corrected
   */
  constructor(desk, classes, corrected) {
    this.desk = desk;
    this.classes = classes;
    /** @type {Item | null} */
    this.item = null;
    this.line = find(desk, "[data-lock]", HTMLElement);
    this.correction = new Correction(desk, "label", "/data/labels/correction", () => {
      if (this.item) corrected(this.item.image_id);
    });
    find(this.line, "span", HTMLElement).textContent = LOCKED;
    find(this.line, "button", HTMLButtonElement).addEventListener("click", () => this.correct());
  }

  /** @param {Item} item the present image */
  show(item) {
    this.item = item;
    this.line.hidden = !item.locked;
    /** @type {NodeListOf<HTMLButtonElement>} */
    const buttons = this.desk.querySelectorAll(BUTTONS);
    for (const button of buttons) button.disabled = item.locked;
    find(this.desk, ".ld-suggestion .ld-accept", HTMLButtonElement).disabled ||= item.locked; // or it suggests nothing
  }

  /** Offer every label but the one that there is. */
  correct() {
    if (!this.item) return;
    const { image_id, label_value, label_class } = this.item;
    const now = label_value === "class" ? this.classes[label_class ?? -1]?.name : label_value;
    const classes = this.classes.map(({ name }) => new Option(name));
    const others = Object.entries(VALUES).map(([value, words]) => new Option(words, value));
    const options = [...classes, ...others].filter(({ value }) => value !== now);
    find(this.correction.dialog, "select", HTMLSelectElement).replaceChildren(...options);
    this.correction.open({ image_id });
  }
}
