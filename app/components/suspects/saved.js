// @ts-check
// The saved selections: a menu that opens one, and a form that saves the current selection. Events on document:
//   in   synthaug:selected {points, data}   what is selected now

import { getJson, postJson } from "../../static/lib/api.js";
import { find, hear } from "../../static/lib/dom.js";
import { count } from "../../static/lib/words.js";

export class Saved {
  /**
   * @param {HTMLElement} root
   * @param {(name: string) => void} open
   */
  constructor(root, open) {
    this.choice = find(root, '[data-part="saved"]', HTMLSelectElement);
    this.form = find(root, '[data-part="save"]', HTMLFormElement);
    this.box = find(this.form, "input", HTMLInputElement);
    this.status = find(root, '[data-part="status"]', HTMLElement);
    this.open = open;
    /** Returns the selected ids; called only when they are needed. @type {() => number[]} */
    this.ids = () => [];
    this.shown = "";
    this.choice.addEventListener("change", () => {
      if (this.choice.value) open(this.choice.value);
    });
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
    hear(root, "synthaug:selected", ({ points, data }) => {
      this.ids = () => points.map((/** @type {number} */ point) => data.columns.ids[point]);
      for (const control of [this.box, find(this.form, "button", HTMLButtonElement)]) control.disabled = !points.length;
    });
    this.list();
  }

  async list() {
    const { names } = await getJson("/data/selections").catch(() => ({ names: [] }));
    const first = new Option(names.length ? "Open a selection" : "None yet", "");
    this.choice.replaceChildren(first, ...names.map((/** @type {string} */ name) => new Option(name, name)));
    this.choice.disabled = !names.length;
    this.show(this.shown);
  }

  /** Set the selection that is shown; "": none. @param {string} name */
  show(name) {
    this.shown = name;
    this.choice.value = name;
    if (this.choice.selectedIndex < 0) this.choice.selectedIndex = 0;
  }

  async save() {
    try {
      const ids = this.ids();
      const { name } = await postJson("/data/selections", { name: this.box.value, ids });
      this.status.textContent = `${count(ids.length, "image")} saved`;
      this.box.value = "";
      await this.list();
      this.open(name);
    } catch (error) {
      this.status.textContent = error instanceof Error ? error.message : String(error);
    }
  }
}
