// @ts-check
// Which key does what at the desk, and what a person changed of it. A key has one meaning: a clash is refused.

import { stored } from "../../static/lib/session.js";

/** @typedef {import("./words.js").Action} Action */
/** @typedef {import("./words.js").ClassProps} ClassProps */
/** @typedef {import("./words.js").KeyPress} KeyPress */
/** @typedef {{ name: string, title: string, key: string, own: boolean }} Row `own`: not the key it comes with */

/** What can be given another key, and the key it comes with. @type {[Action, string, string][]} */
const ACTIONS = [
  ["accept", "Enter", "Accept the suggestion"],
  ["reject", "x", "Reject: not usable for any class"],
  ["unsure", "u", "Unsure: leave it for somebody else"],
  ["undo", "z", "Undo, and go back to that image"],
  ["flag", "!", "Flag the image for others to look at"],
  ["back", "ArrowLeft", "Back"],
  ["skip", "ArrowRight", "Skip"],
];

/** Second keys of actions, and keys that stay what they are. @type {Record<string, Action>} */
const SECOND = { " ": "accept", Backspace: "back", "?": "help" };

/** Of the viewer and of the landmarks. */
const TAKEN = new Set([..."+-,.*#%/;[]{}", "?", "Tab", "Escape"]);
const NAMED = new Set(["Enter", "Backspace", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]);
const SHOWN = /** @type {Record<string, string>} */ ({ ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" });

/** A key as it is written on a button. @param {string} key */
export function keyWords(key) {
  if (key === " ") return "Space";
  return SHOWN[key] ?? (key.length === 1 ? key.toUpperCase() : key);
}

/** Whether it can be pressed with Shift and stays the same key: a sign with Shift is another sign. @param {string} key */
function isLetter(key) {
  return key.length === 1 && key.toLowerCase() !== key.toUpperCase();
}

/** @param {string} key as an event has it */
function plain(key) {
  return key.length === 1 ? key.toLowerCase() : key;
}

export class KeyMap {
  /**
   * @param {ClassProps[]} classes with the keys they come with
   * @param {string} owner the workspace and the person
   * @param {Storage} storage
   */
  constructor(classes, owner, storage = localStorage) {
    this.place = `synthaug.keys.${owner}`;
    this.storage = storage;
    /** What comes with the desk, by name: "class:0", "accept" ... @type {Map<string, { key: string, title: string }>} */
    this.defaults = new Map([
      ...classes.map(({ name, key }, index) => /** @type {const} */ ([`class:${index}`, { key, title: name }])),
      ...ACTIONS.map(([name, key, title]) => /** @type {const} */ ([name, { key, title }])),
    ]);
    /** @type {Record<string, string>} */
    this.own = stored(this.place, {}, storage);
  }

  /** @returns {Row[]} */
  get rows() {
    return [...this.defaults].map(([name, { title }]) => ({
      name,
      title,
      key: this.keyOf(name),
      own: name in this.own,
    }));
  }

  /** @param {string} name */
  keyOf(name) {
    return this.own[name] ?? this.defaults.get(name)?.key ?? "";
  }

  /** The key of Redo as it is written on a button: that of Undo with Shift; "" where that is no letter. */
  get redoWords() {
    const key = this.keyOf("undo");
    return isLetter(key) ? `⇧${keyWords(key)}` : "";
  }

  /**
   * Give it another key; why not, or "" where it is done.
   * @param {string} name
   * @param {string} pressed
   */
  change(name, pressed) {
    const key = plain(pressed);
    if (key.length !== 1 && !NAMED.has(key))
      return `${pressed} cannot be used; press a letter, a digit, a sign or an arrow.`;
    if (TAKEN.has(key)) return `${keyWords(key)} moves the picture, the landmarks or this list; press another key.`;
    const other = this.rows.find((row) => row.key === key && row.name !== name);
    const second = SECOND[key] && SECOND[key] !== name ? this.defaults.get(SECOND[key]) : undefined;
    const clash = other?.title ?? second?.title;
    if (clash) return `${keyWords(key)} is "${clash}" already; give that another key first.`;
    this.own = { ...this.own, [name]: key };
    this.keep();
    return "";
  }

  /** All as it came. */
  reset() {
    this.own = {};
    this.keep();
  }

  keep() {
    try {
      this.storage.setItem(this.place, JSON.stringify(this.own));
    } catch {
      // Full: the answers need the room more; the keys hold until the page is closed.
    }
  }

  /**
   * What a key press asks for: a class index, an action, or null where it is not for the desk.
   * @param {KeyPress} event
   * @returns {number | Action | null}
   */
  meaningOf(event) {
    if (event.isComposing || event.repeat || event.metaKey || event.altKey) return null;
    const key = plain(event.key);
    if (key === "z" && event.ctrlKey) return event.shiftKey ? "redo" : "undo";
    if (event.ctrlKey) return key === "y" ? "redo" : null;
    if (key === this.keyOf("undo") && event.shiftKey && isLetter(key)) return "redo";
    const name = [...this.defaults.keys()].find((each) => this.keyOf(each) === key);
    if (name === undefined) return SECOND[key] ?? null;
    return name.startsWith("class:") ? Number(name.slice(6)) : /** @type {Action} */ (name);
  }
}
