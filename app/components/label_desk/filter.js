// @ts-check
// Which images of the queue to see: by class, confidence, annotator and source of the label.

import { getJson } from "../../static/lib/api.js";
import { find } from "../../static/lib/dom.js";
import { stored } from "../../static/lib/session.js";
import { count } from "../../static/lib/words.js";

/** @typedef {{ class_index: string, from: string, to: string, annotator: string, source: string }} Fields as they stand in the form; percentages */

/** What the app is asked for. @param {Fields} fields @returns {Record<string, string>} */
export function filterQuery({ class_index, from, to, annotator, source }) {
  const share = (/** @type {string} */ percent) => (percent === "" ? "" : String(Number(percent) / 100));
  const asked = { class_index, confidence_from: share(from), confidence_to: share(to), annotator, source };
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== ""));
}

/** @param {Record<string, string>} query */
export function filterWords(query) {
  const kinds = new Set(Object.keys(query).map((name) => name.replace(/_(from|to)$/, "")));
  return kinds.size ? `Filter: ${count(kinds.size, "condition")}` : "Filter";
}

export class Filter {
  /**
   * @param {HTMLElement} desk
   * @param {import("./words.js").ClassProps[]} classes
   * @param {string} owner the workspace and the person, for whom the filter is remembered in this browser
   * @param {() => void} changed
   * @param {Storage} [storage]
   */
  constructor(desk, classes, owner, changed, storage = localStorage) {
    this.place = `synthaug.filter.${owner}`;
    this.storage = storage;
    this.holder = find(desk, "[data-filter]", HTMLDetailsElement);
    this.form = find(desk, "[data-filter-form]", HTMLFormElement);
    this.title = find(desk, "[data-filter-title]", HTMLElement);
    this.select("class_index").append(...classes.map(({ name }, index) => new Option(name, String(index))));
    this.restore(stored(this.place, {}, storage));
    this.holder.addEventListener("toggle", () => this.holder.open && this.readAnnotators());
    this.form.addEventListener("change", () => this.apply(changed));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.holder.open = false;
    });
    this.form.addEventListener("reset", () => setTimeout(() => this.apply(changed))); // once the fields are empty
    desk.addEventListener("pointerdown", ({ target }) => {
      if (target instanceof Node && !this.holder.contains(target)) this.holder.open = false;
    });
  }

  /** @param {string} name */
  select(name) {
    return find(this.form, `[name=${name}]`, HTMLSelectElement);
  }

  /** @returns {Fields} */
  get fields() {
    return /** @type {Fields} */ (/** @type {unknown} */ (Object.fromEntries(new FormData(this.form))));
  }

  get query() {
    return filterQuery(this.fields);
  }

  /** What was chosen on an earlier visit. A class that is not here any more is left out. @param {Partial<Fields>} fields */
  restore(fields) {
    const { annotator = "" } = fields;
    if (annotator) this.select("annotator").append(new Option(annotator, annotator));
    for (const [name, value] of Object.entries(fields)) {
      const field = this.form.elements.namedItem(name);
      if (field instanceof HTMLInputElement) field.value = value;
      else if (field instanceof HTMLSelectElement && [...field.options].some((each) => each.value === value))
        field.value = value;
    }
    this.title.textContent = filterWords(this.query);
  }

  /** @param {() => void} changed */
  apply(changed) {
    this.title.textContent = filterWords(this.query);
    try {
      this.storage.setItem(this.place, JSON.stringify(this.fields));
    } catch {
      // Full: the answers need the room more; the filter holds until the page is closed.
    }
    changed();
  }

  async readAnnotators() {
    const { names } = await getJson("/data/annotators").catch(() => ({ names: [] }));
    const select = this.select("annotator");
    const chosen = select.value;
    const known = names.map((/** @type {string} */ name) => new Option(name, name, false, name === chosen));
    select.replaceChildren(new Option("Anybody", ""), ...known);
  }
}
