// @ts-check
// The landmarks of a labeled test image are locked; an owner corrects them, and says why.

import { find } from "../../static/lib/dom.js";
import { postSigned } from "../../static/lib/session.js";

/** @typedef {import("../../static/lib/types.js").Item} Item */
/** @typedef {import("./geometry.js").Places} Places */

/** Whether an image keeps the landmarks it has. @param {Item | null} item */
export function isLocked(item) {
  if (!item?.landmarks || item.split !== "test" || item.origin !== "real") return false;
  return item.label_value === "class" && item.landmarks.origin === "answer";
}

export class Correction {
  /**
   * @param {HTMLElement} desk
   * @param {() => void} corrected
   */
  constructor(desk, corrected) {
    this.corrected = corrected;
    this.dialog = find(desk, "[data-lm-correction]", HTMLDialogElement);
    this.reason = find(this.dialog, "[data-lm-reason]", HTMLInputElement);
    this.problem = find(this.dialog, "[data-lm-correction-problem]", HTMLElement);
    /** @type {{ image_id: number, points: Places } | null} */
    this.asked = null;
    find(this.dialog, "form", HTMLFormElement).addEventListener("submit", (event) => this.submit(event));
    find(this.dialog, "[data-lm-correction-cancel]", HTMLElement).addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("keydown", (event) => event.stopPropagation());
  }

  /** @param {number} image_id @param {Places} points */
  open(image_id, points) {
    this.asked = { image_id, points };
    this.problem.textContent = "";
    this.reason.value = "";
    this.dialog.showModal();
  }

  /** @param {Event} event */
  async submit(event) {
    event.preventDefault();
    try {
      await postSigned("/data/landmarks/correction", { ...this.asked, reason: this.reason.value });
      this.dialog.close();
      this.corrected();
    } catch (error) {
      this.problem.textContent = error instanceof Error ? error.message : String(error);
    }
  }
}
