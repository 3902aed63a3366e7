// @ts-check
// A labeled test image is locked; an owner corrects its label or its landmarks, and says why.

import { find } from "../../static/lib/dom.js";
import { postSigned } from "../../static/lib/session.js";

export class Correction {
  /**
   * @param {HTMLElement} root
   * @param {string} kind of the dialog
   * @param {string} route that takes its fields and what open() was given
   * @param {() => void} corrected
   */
  constructor(root, kind, route, corrected) {
    this.route = route;
    this.corrected = corrected;
    this.dialog = find(root, `[data-correction="${kind}"]`, HTMLDialogElement);
    this.form = find(this.dialog, "form", HTMLFormElement);
    this.problem = find(this.dialog, "[data-correction-problem]", HTMLElement);
    /** @type {object} */
    this.asked = {};
    this.form.addEventListener("submit", (event) => this.submit(event));
    find(this.dialog, "[data-correction-cancel]", HTMLElement).addEventListener("click", () => this.dialog.close());
    // The keys of the page mean nothing while this is open.
    this.dialog.addEventListener("keydown", (event) => event.stopPropagation());
  }

  /** @param {object} asked what is corrected */
  open(asked) {
    this.asked = asked;
    this.say("");
    this.form.reset();
    this.dialog.showModal();
  }

  /** @param {Event} event */
  async submit(event) {
    event.preventDefault();
    try {
      await postSigned(this.route, { ...this.asked, ...Object.fromEntries(new FormData(this.form)) });
      this.dialog.close();
      this.corrected();
    } catch (error) {
      this.say(error instanceof Error ? error.message : String(error));
    }
  }

  /** @param {string} text "" for none */
  say(text) {
    this.problem.textContent = text;
    this.problem.hidden = !text;
  }
}
