// @ts-check
// The note on an image, and its flag: one's own to write, those of others to read. Saved when the field is left.

import { find } from "../../static/lib/dom.js";
import { postSigned } from "../../static/lib/session.js";

/** @typedef {import("../../static/lib/types.js").Item} Item */
/** @typedef {import("../../static/lib/types.js").Note} Note */

export class Notes {
  /**
   * @param {HTMLElement} desk
   * @param {string} person
   * @param {(problem: string) => void} failed "" when it is saved
   */
  constructor(desk, person, failed) {
    this.person = person;
    this.failed = failed;
    this.field = find(desk, "[data-note]", HTMLInputElement);
    this.flagButton = find(desk, "[data-flag]", HTMLButtonElement);
    this.others = find(desk, "[data-notes]", HTMLElement);
    /** @type {Item | undefined} */
    this.item = undefined;
    this.sending = Promise.resolve();
    this.field.addEventListener("change", () => this.save(this.flagged));
    this.field.addEventListener("keydown", ({ key }) => {
      if (key === "Escape") this.field.value = this.own?.text ?? "";
      if (key === "Escape") this.field.blur();
    });
    find(desk, "[data-note-form]", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault(); // Enter: saved by the change that leaving it makes
      this.field.blur();
    });
  }

  /** @returns {Note | undefined} */
  get own() {
    return this.item?.notes?.find(({ annotator }) => annotator === this.person);
  }

  get flagged() {
    return this.own?.flagged ?? false;
  }

  /** @param {Item | undefined} item */
  show(item) {
    if (item === this.item && document.activeElement === this.field) return;
    if (item !== this.item && document.activeElement === this.field) this.field.blur(); // saved for the image it is on
    this.item = item;
    this.field.value = this.own?.text ?? "";
    this.flagButton.setAttribute("aria-pressed", String(this.flagged));
    this.others.textContent = othersWords(item?.notes ?? [], this.person);
  }

  flag() {
    return this.save(!this.flagged);
  }

  /** @param {boolean} flagged */
  async save(flagged) {
    const { item, field, person } = this;
    const text = field.value.trim();
    if (!item || (text === (this.own?.text ?? "") && flagged === this.flagged)) return;
    const others = (item.notes ?? []).filter(({ annotator }) => annotator !== person);
    item.notes = [...others, { annotator: person, text, flagged, created_at: "" }];
    this.show(item);
    const body = { image_id: item.image_id, text, flagged };
    this.sending = this.sending.then(() => this.send(body)); // one after the other: the last one holds
    await this.sending;
  }

  /** @param {{ image_id: number, text: string, flagged: boolean }} body */
  async send(body) {
    try {
      await postSigned("/data/notes", body);
      this.failed("");
    } catch (error) {
      this.failed(`The note is not saved: ${error instanceof Error ? error.message : error}`);
    }
  }
}

/**
 * What others wrote: "ben: rim not visible · cleo flags it".
 * @param {Note[]} notes
 * @param {string} person
 */
export function othersWords(notes, person) {
  return notes
    .filter(({ annotator }) => annotator !== person)
    .map(({ annotator, text, flagged }) =>
      text ? `${annotator}: ${text}${flagged ? " ⚑" : ""}` : `${annotator} flags it`,
    )
    .join(" · ");
}
