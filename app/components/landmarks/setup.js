// @ts-check
// The owner's choice: which landmark scheme the workspace uses, and which classes its angles make.

import { postJson } from "../../static/lib/api.js";
import { find, make } from "../../static/lib/dom.js";

/** @typedef {import("./geometry.js").Scheme} Scheme */
/** @typedef {import("../label_desk/words.js").ClassProps} ClassProps */

const NO_CLASS = "";

export class Setup {
  /**
   * @param {HTMLElement} desk
   * @param {ClassProps[]} classes
   */
  constructor(desk, classes) {
    this.classes = classes;
    this.dialog = find(desk, "[data-lm-dialog]", HTMLDialogElement);
    this.choice = find(this.dialog, "[data-lm-scheme]", HTMLSelectElement);
    this.rows = find(this.dialog, "[data-lm-rows]", HTMLElement);
    this.problem = find(this.dialog, "[data-lm-problem]", HTMLElement);
    /** @type {Map<string, Scheme>} */
    this.schemes = new Map();
    find(desk, "[data-lm-setup]", HTMLButtonElement).addEventListener("click", () => this.dialog.showModal());
    find(this.dialog, "[data-lm-cancel]", HTMLButtonElement).addEventListener("click", () => this.dialog.close());
    find(this.dialog, "form", HTMLFormElement).addEventListener("submit", (event) => this.submit(event));
    this.choice.addEventListener("change", () => this.showRows());
    // The desk's keys mean nothing while this is open.
    this.dialog.addEventListener("keydown", (event) => event.stopPropagation());
  }

  /** @param {Scheme[]} shipped @param {Scheme | null} used */
  offer(shipped, used) {
    this.schemes = new Map([...shipped, ...(used ? [used] : [])].map((scheme) => [scheme.name, scheme]));
    const options = [...this.schemes.values()].map(({ name, title }) => new Option(`${title} (${name})`, name));
    this.choice.replaceChildren(new Option("None", ""), ...options);
    this.choice.value = used?.name ?? "";
    this.showRows();
  }

  /** A row a class: its name here, and from which angle on it begins. */
  showRows() {
    const classes = this.schemes.get(this.choice.value)?.classes;
    this.rows.hidden = !classes;
    if (!classes) return;
    this.rows.replaceChildren(
      ...classes.names.map((name, index) => this.row(name, index ? classes.thresholds[index - 1] : null)),
    );
  }

  /** @param {string} name @param {number | null} threshold */
  row(name, threshold) {
    const field = make("select", "sa-select");
    field.append(new Option("No class", NO_CLASS), ...this.classes.map((each) => new Option(each.name)));
    field.value = this.classes.some((each) => each.name === name) ? name : NO_CLASS;
    if (threshold === null) return make("label", "lm-row", "Smallest angles", field);
    const limit = make("input", "sa-input");
    Object.assign(limit, { type: "number", step: "any", value: String(threshold), ariaLabel: "From degrees" });
    return make("label", "lm-row", "From", limit, "degrees", field);
  }

  /** @param {Event} event */
  async submit(event) {
    event.preventDefault();
    try {
      await postJson("/data/landmarks", this.chosen());
      location.reload();
    } catch (error) {
      this.problem.textContent = error instanceof Error ? error.message : String(error);
    }
  }

  chosen() {
    const name = this.choice.value || null;
    if (!this.schemes.get(this.choice.value)?.classes) return { name };
    const classes = [...this.rows.querySelectorAll("select")].map(({ value }) => value);
    if (classes.every((each) => each === NO_CLASS)) return { name, no_class: true };
    if (classes.includes(NO_CLASS)) throw new Error("Choose a class in every row, or in none.");
    return { name, classes, thresholds: [...this.rows.querySelectorAll("input")].map(({ value }) => Number(value)) };
  }
}
