// @ts-check
// Files of landmarks in the browser: a scheme (TOML), placed landmarks and angles (CSV, COCO JSON), captions.

import { postJson } from "../../static/lib/api.js";
import { find, make } from "../../static/lib/dom.js";
import { postSigned } from "../../static/lib/session.js";
import { count } from "../../static/lib/words.js";

/** @typedef {import("./geometry.js").Scheme} Scheme */
/** @typedef {{ recorded: number, unchanged: number, skipped: [string, string][], skipped_count: number, swapped: string[] }} Outcome */

/**
 * The scheme that a TOML file describes, and its text. Throws ApiError, which says what is wrong in it.
 * @param {File} file
 * @returns {Promise<{ scheme: Scheme, toml: string }>}
 */
export async function readScheme(file) {
  const toml = await file.text();
  const { scheme } = await postJson("/data/landmarks/scheme", { file: file.name, text: toml });
  return { scheme, toml };
}

/** What became of a file's rows. @param {Outcome} outcome */
export function outcomeWords({ recorded, unchanged, skipped_count: skipped, swapped }) {
  const said = [`${count(recorded, "image")} recorded`];
  if (unchanged) said.push(`${count(unchanged, "image")} had these landmarks already`);
  if (skipped) said.push(`${count(skipped, "row")} skipped`);
  const sides = swapped.length ? ` Left and right look exchanged on: ${swapped.slice(0, 5).join(", ")}.` : "";
  return `${said.join(", ")}.${sides}`;
}

export class Reading {
  /**
   * @param {HTMLElement} dialog
   * @param {() => void} changed landmarks were recorded
   */
  constructor(dialog, changed) {
    this.dialog = dialog;
    this.changed = changed;
    const field = find(dialog, "[data-lm-read]", HTMLInputElement);
    field.addEventListener("change", () => {
      const file = field.files?.[0];
      if (file)
        this.read(async () => postSigned("/data/landmarks/import", { file: file.name, text: await file.text() }));
      field.value = "";
    });
    find(dialog, "[data-lm-captions]", HTMLButtonElement).addEventListener("click", () =>
      this.read(() => postSigned("/data/landmarks/captions", {})),
    );
  }

  /** Captions are read as the scheme says; one without a format of captions has no angles there. @param {Scheme} used */
  offer({ caption }) {
    find(this.dialog, "[data-lm-captions]", HTMLButtonElement).disabled = caption === null;
    find(this.dialog, "[data-lm-no-captions]", HTMLElement).hidden = caption !== null;
  }

  /** @param {() => Promise<Outcome>} ask */
  async read(ask) {
    try {
      const outcome = await ask();
      this.say(outcomeWords(outcome), outcome.skipped);
      if (outcome.recorded) this.changed();
    } catch (error) {
      this.say(error instanceof Error ? error.message : String(error), []);
    }
  }

  /** @param {string} words @param {[string, string][]} skipped */
  say(words, skipped) {
    find(this.dialog, "[data-lm-read-words]", HTMLElement).textContent = words;
    const rows = skipped.map(([image, reason]) => make("li", "", make("b", "", image), ` ${reason}`));
    find(this.dialog, "[data-lm-skipped]", HTMLElement).replaceChildren(...rows);
  }
}
