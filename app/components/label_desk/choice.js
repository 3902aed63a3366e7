// @ts-check
// What the desk shows and in which order: two choices and a check box, remembered in the browser.

import { find } from "../../static/lib/dom.js";
import { selection, selectionIsNew, stored } from "../../static/lib/session.js";
import { number } from "../../static/lib/words.js";

const KEY = "synthaug.desk";

/** @typedef {[string, string][]} Options values and what they are called */

/**
 * The queues that a person may open: conflicts are a reviewer's.
 * @param {import("../../static/lib/session.js").Person} person
 * @param {Options} scopes
 */
export function scopesOf({ role }, scopes) {
  return scopes.filter(([scope]) => scope !== "conflicts" || role !== "annotator");
}

export class Choice {
  /**
   * @param {HTMLElement} desk
   * @param {{ orders: Options, scopes: Options }} options
   * @param {{ queue: () => void, smooth: () => void }} changed
   */
  constructor(desk, { orders, scopes }, changed) {
    this.orders = find(desk, "[data-order]", HTMLSelectElement);
    this.scopes = find(desk, "[data-scope]", HTMLSelectElement);
    this.smoothing = find(desk, "[data-smooth]", HTMLInputElement);
    const chosen = selection();
    const own = chosen.length ? [["selection", `Selection (${number(chosen.length)} images)`]] : [];
    this.orders.append(...orders.map(([value, text]) => new Option(text, value)));
    this.scopes.append(...[...scopes, ...own].map(([value, text]) => new Option(text, value)));
    this.restore();
    this.listen(this.orders, changed.queue);
    this.listen(this.scopes, changed.queue);
    this.listen(this.smoothing, changed.smooth);
  }

  get order() {
    return this.orders.value;
  }

  get scope() {
    return this.scopes.value;
  }

  /** Whether only real images are asked for. */
  get isOfReal() {
    return this.scope === "unlabeled" || this.scope === "real";
  }

  get smooth() {
    return this.smoothing.checked;
  }

  /** What the address asks for, else a selection that another page has just made, else what was chosen before. */
  restore() {
    /** @type {Record<string, any>} */
    const kept = { order: "newest", scope: "unreviewed", smooth: false, ...stored(KEY, {}) };
    const asked = new URL(location.href).searchParams;
    const scope = selectionIsNew() ? "selection" : kept.scope;
    pick(this.orders, asked.get("order") ?? kept.order);
    pick(this.scopes, asked.get("scope") ?? scope);
    this.smoothing.checked = kept.smooth === true;
  }

  /**
   * @param {HTMLSelectElement | HTMLInputElement} field
   * @param {() => void} changed
   */
  listen(field, changed) {
    field.addEventListener("change", () => {
      const { order, scope, smooth } = this;
      localStorage.setItem(KEY, JSON.stringify({ order, scope, smooth }));
      field.blur(); // the keys belong to the desk again
      changed();
    });
  }
}

/**
 * Choose a value; the first where there is none of that name.
 * @param {HTMLSelectElement} field
 * @param {string} value
 */
function pick(field, value) {
  field.selectedIndex = Math.max(
    0,
    [...field.options].findIndex((each) => each.value === value),
  );
}
