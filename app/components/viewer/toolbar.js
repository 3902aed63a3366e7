// @ts-check
// The thin row of tools above the picture. It says what was pressed, and decides nothing.

import { closest, find } from "../../static/lib/dom.js";

import { shortNumber } from "./levels.js";

/** @typedef {import("./levels.js").Preset} Preset */
/** @typedef {import("./levels.js").Window} Window */
/** @typedef {"fit" | "actual" | "in" | "out" | "left" | "right" | "invert" | "magnify" | "beside" | "fill"} Tool */

const OWN = "own";

export class Toolbar {
  /**
   * @param {HTMLElement} root
   * @param {{ tool: (tool: Tool) => void, preset: (preset: Preset) => void, numbers: (center: number, width: number) => void }} said
   */
  constructor(root, said) {
    this.root = root;
    this.choice = find(root, "[data-preset]", HTMLSelectElement);
    this.center = find(root, "[data-center]", HTMLInputElement);
    this.width = find(root, "[data-width]", HTMLInputElement);
    /** @type {Preset[]} */
    this.presets = [];
    root.addEventListener("click", (event) => {
      const tool = closest(event, "[data-tool]")?.dataset.tool;
      if (tool) said.tool(/** @type {Tool} */ (tool));
    });
    this.choice.addEventListener("change", () => {
      this.choice.blur();
      said.preset(this.presets[Number(this.choice.value)]);
    });
    for (const field of [this.center, this.width]) {
      field.addEventListener("change", () => {
        field.blur();
        said.numbers(Number(this.center.value), Number(this.width.value));
      });
    }
  }

  /** @param {Preset[]} presets */
  offer(presets) {
    this.presets = presets;
    const own = new Option("Own", OWN);
    own.hidden = true;
    this.choice.replaceChildren(...presets.map(({ name }, index) => new Option(name, String(index))), own);
  }

  /** @param {Window | null} window the chosen one @param {Window} shown what its numbers are */
  showWindow(window, shown) {
    const same = (/** @type {Window | null} */ other) => JSON.stringify(other) === JSON.stringify(window);
    const index = this.presets.findIndex((each) => same(each.window));
    this.choice.value = index < 0 ? OWN : String(index);
    this.center.value = shortNumber(shown.center);
    this.width.value = shortNumber(shown.width);
  }

  /** @param {{ scale: number, inverted: boolean, magnifying: boolean }} state scale in device pixels a picture pixel */
  show({ scale, inverted, magnifying }) {
    find(this.root, "[data-scale]", HTMLElement).textContent = `${Math.round(100 * scale)}%`;
    find(this.root, '[data-tool="invert"]', HTMLElement).setAttribute("aria-pressed", String(inverted));
    find(this.root, '[data-tool="magnify"]', HTMLElement).setAttribute("aria-pressed", String(magnifying));
  }

  /** @param {Tool} tool @param {boolean} pressed */
  press(tool, pressed) {
    find(this.root, `[data-tool="${tool}"]`, HTMLElement).setAttribute("aria-pressed", String(pressed));
  }
}

/** That of a viewer which follows another one. @type {Pick<Toolbar, "offer" | "showWindow" | "show" | "press">} */
export const NO_TOOLBAR = { offer: () => {}, showWindow: () => {}, show: () => {}, press: () => {} };
