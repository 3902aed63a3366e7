// @ts-check
// The owner's choice: which landmark scheme the workspace uses, and which classes its angles make.

import { postJson } from "../../static/lib/api.js";
import { find, make } from "../../static/lib/dom.js";
import { Reading, readScheme } from "./files.js";

/** @typedef {import("./geometry.js").Scheme} Scheme */
/** @typedef {import("../label_desk/words.js").ClassProps} ClassProps */

const NO_CLASS = "";

export class Setup {
  /**
   * @param {HTMLElement} desk
   * @param {ClassProps[]} classes
   * @param {() => void} changed landmarks were read from a file
   */
  constructor(desk, classes, changed) {
    this.classes = classes;
    this.dialog = find(desk, "[data-lm-dialog]", HTMLDialogElement);
    this.choice = find(this.dialog, "[data-lm-scheme]", HTMLSelectElement);
    this.rows = find(this.dialog, "[data-lm-rows]", HTMLElement);
    this.problem = find(this.dialog, "[data-lm-problem]", HTMLElement);
    /** @type {Map<string, Scheme>} */
    this.schemes = new Map();
    /** The texts of the schemes that were opened here, by name. @type {Map<string, string>} */
    this.texts = new Map();
    this.reading = new Reading(this.dialog, changed);
    const file = find(this.dialog, "[data-lm-toml]", HTMLInputElement);
    file.addEventListener("change", () => {
      if (file.files?.[0]) this.open(file.files[0]);
      file.value = "";
    });
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
    find(this.dialog, "[data-lm-files]", HTMLElement).hidden = !used;
    if (used) this.reading.offer(used);
    this.choose(used?.name ?? "");
  }

  /** @param {string} name "" for none */
  choose(name) {
    const options = [...this.schemes.values()].map(({ name, title }) => new Option(`${title} (${name})`, name));
    this.choice.replaceChildren(new Option("None", ""), ...options);
    this.choice.value = name;
    this.showRows();
  }

  /** Offer the scheme of a TOML file, and choose it. @param {File} file */
  async open(file) {
    try {
      const { scheme, toml } = await readScheme(file);
      this.schemes.set(scheme.name, scheme);
      this.texts.set(scheme.name, toml);
      this.problem.textContent = "";
      this.choose(scheme.name);
    } catch (error) {
      this.problem.textContent = error instanceof Error ? error.message : String(error);
    }
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
    const toml = this.texts.get(this.choice.value) ?? null;
    if (!this.schemes.get(this.choice.value)?.classes) return { name, toml };
    const classes = [...this.rows.querySelectorAll("select")].map(({ value }) => value);
    if (classes.every((each) => each === NO_CLASS)) return { name, toml, no_class: true };
    if (classes.includes(NO_CLASS)) throw new Error("Choose a class in every row, or in none.");
    const thresholds = [...this.rows.querySelectorAll("input")].map(({ value }) => Number(value));
    return { name, toml, classes, thresholds };
  }
}
