// @ts-check
// The list of keys, each a button: press it, then the new key. The keys on the desk's own buttons follow.

import { find, make, makeButton } from "../../static/lib/dom.js";
import { keyWords } from "./keymap.js";

export class KeyEditor {
  /**
   * @param {HTMLElement} desk
   * @param {import("./keymap.js").KeyMap} keys
   */
  constructor(desk, keys) {
    this.desk = desk;
    this.keys = keys;
    this.list = find(desk, "[data-own-keys]", HTMLElement);
    this.said = find(desk, "[data-keys-said]", HTMLElement);
    /** Whose key is asked for. @type {string | null} */
    this.asked = null;
    find(desk, "[data-keys-reset]", HTMLButtonElement).addEventListener("click", () => {
      keys.reset();
      this.show("All keys are as they came with the desk.");
    });
    find(desk, "[data-dialog]", HTMLDialogElement).addEventListener("keydown", (event) => this.onKey(event));
    find(desk, "[data-dialog]", HTMLDialogElement).addEventListener("close", () => this.ask(null));
    this.show("");
  }

  /** @param {string | null} name */
  ask(name) {
    this.asked = name;
    this.show(name === null ? "" : `Press the new key for "${this.keys.defaults.get(name)?.title}"; Esc leaves it.`);
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const { asked } = this;
    if (asked === null || ["Shift", "Control", "Alt", "Meta"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") return this.ask(null);
    const refusal = this.keys.change(asked, event.key);
    if (!refusal) this.asked = null;
    this.show(refusal);
  }

  /** @param {string} words */
  show(words) {
    this.said.textContent = words;
    const rows = this.keys.rows.map(({ name, title, key, own }) => {
      const button = makeButton(`ld-key${own ? " own" : ""}`, key ? keyWords(key) : "none", () => this.ask(name));
      button.setAttribute("aria-label", `Change the key of ${title}: ${key ? keyWords(key) : "none"}`);
      button.setAttribute("aria-pressed", String(name === this.asked));
      return make("div", "", make("dt", "", button), make("dd", "", title));
    });
    this.list.replaceChildren(...rows);
    if (this.asked !== null) find(this.list, "[aria-pressed=true]", HTMLButtonElement).focus();
    this.showOnButtons();
  }

  showOnButtons() {
    for (const { name, key } of this.keys.rows) {
      const [kind, index] = name.split(":");
      this.showOn(kind === "class" ? `[data-class="${index}"]` : `[data-do="${name}"]`, key && keyWords(key));
    }
    this.showOn('[data-do="redo"]', this.keys.redoWords);
  }

  /** @param {string} button @param {string} words "" for no key */
  showOn(button, words) {
    for (const kbd of this.desk.querySelectorAll(`${button} kbd`)) {
      kbd.textContent = words;
      if (kbd instanceof HTMLElement) kbd.hidden = !words;
    }
  }
}
