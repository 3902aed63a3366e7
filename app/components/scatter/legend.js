// @ts-check
// The legend: what each shape and colour is, how many there are, and whether they are shown.

import { find, make, makeButton } from "../../static/lib/dom.js";
import { number } from "../../static/lib/words.js";
import { extent, STEPS } from "./modes.js";
import { NONE, ORIGINS, SYNTHETIC } from "./points.js";

/** @typedef {import("./model.js").PlotModel} PlotModel */
/** @typedef {import("./painter.js").Painter} Painter */
/**
 * @typedef {object} Listeners
 * @property {() => void} filtered what is shown has changed
 * @property {(category: number) => void} spotlight the pointer is over a category; -1: over none
 */

export class Legend {
  /**
   * @param {HTMLElement} root
   * @param {Painter} painter
   * @param {Listeners} listeners
   */
  constructor(root, painter, listeners) {
    /** @param {string} name */
    const part = (name) => find(root, `[data-part="${name}"]`, HTMLElement);
    this.origins = part("origins");
    this.list = part("legend");
    this.title = part("legend-title");
    this.painter = painter;
    this.listeners = listeners;
  }

  /** @param {PlotModel} model */
  draw(model) {
    const counts = model.counts();
    const byOrigin = model.modeName === "origin";
    this.origins.replaceChildren(...ORIGINS.map((_, key) => this.originKey(model, key, counts.byOrigin[key])));
    this.list.hidden = this.title.hidden = byOrigin;
    this.title.textContent = model.mode.title;
    if (byOrigin) this.list.replaceChildren();
    else if (model.figures) this.list.replaceChildren(this.scale(model, model.figures, counts.byCategory));
    else this.list.replaceChildren(...this.categoryKeys(model, counts.byCategory));
  }

  /**
   * @param {PlotModel} model
   * @param {number} key
   * @param {number} count
   */
  originKey(model, key, count) {
    const own = key === SYNTHETIC ? "--sa-synthetic" : "--sa-real";
    const colour = this.painter.token(model.modeName === "origin" ? own : "--sa-ink");
    return entry({ name: ORIGINS[key], count, shape: key, colour, on: model.origins[key] }, () => {
      model.origins[key] = !model.origins[key];
      model.filter();
      this.listeners.filtered();
    });
  }

  /**
   * @param {PlotModel} model
   * @param {Uint32Array} counts
   */
  categoryKeys(model, counts) {
    return model.named
      .filter(({ key }) => key !== NONE || counts[NONE])
      .map(({ key, name, colour }) => {
        const on = model.categories[key] === 1;
        const look = { name, count: counts[key], shape: -1, colour: this.painter.token(colour), on };
        const node = entry(look, (event) => {
          model.toggle(key, event.altKey || event.detail === 2);
          this.listeners.spotlight(-1);
          this.listeners.filtered();
        });
        node.addEventListener("pointerenter", () => this.listeners.spotlight(key));
        node.addEventListener("pointerleave", () => this.listeners.spotlight(-1));
        return node;
      });
  }

  /**
   * A continuous scale: its histogram, its ends, and the way back to the whole range.
   * @param {PlotModel} model
   * @param {Float32Array} figures
   * @param {Uint32Array} counts
   */
  scale(model, figures, counts) {
    const { low, high, min, max } = extent(figures);
    /** @param {number} step */
    const edge = (step) => low + ((high - low) * step) / STEPS;
    /** @param {number} first @param {number} last @returns {[number, number]} */
    const rangeOf = (first, last) => [first === 0 ? min : edge(first), last === STEPS - 1 ? max : edge(last + 1)];
    const box = make("div", "sa-scatter-scale", this.bars(model, counts, rangeOf), ends(low, high, model.mode.ends));
    if (counts[NONE]) box.append(make("p", "sa-scatter-note", `${number(counts[NONE])} without a value are grey`));
    if (model.range) {
      box.append(makeButton("sa-scatter-link", "Show the whole range", () => this.keep(model, null)));
    }
    return box;
  }

  /**
   * @param {PlotModel} model
   * @param {[number, number] | null} range
   */
  keep(model, range) {
    model.range = range;
    model.filter();
    this.listeners.filtered();
  }

  /**
   * A bar a step; dragging over them keeps only that range.
   * @param {PlotModel} model
   * @param {Uint32Array} counts
   * @param {(first: number, last: number) => [number, number]} rangeOf
   */
  bars(model, counts, rangeOf) {
    const bars = make("div", "sa-scatter-bars");
    const most = Math.max(1, ...counts.subarray(0, STEPS));
    bars.title = "Drag over the bars to keep a range";
    for (let step = 0; step < STEPS; step++) {
      const bar = make("i");
      bar.style.height = `${counts[step] ? 4 + 40 * Math.sqrt(counts[step] / most) : 1}px`;
      bar.style.background = this.painter.colours[step];
      const [from, to] = rangeOf(step, step);
      bar.classList.toggle("off", model.range !== null && (to <= model.range[0] || from >= model.range[1]));
      bars.append(bar);
    }
    bars.addEventListener("pointerdown", (down) => {
      const first = stepAt(bars, down);
      const end = (/** @type {PointerEvent} */ up) => {
        const last = stepAt(bars, up);
        this.keep(model, rangeOf(Math.min(first, last), Math.max(first, last)));
      };
      window.addEventListener("pointerup", end, { once: true });
    });
    return bars;
  }
}

/**
 * @param {HTMLElement} bars
 * @param {PointerEvent} event
 */
function stepAt(bars, event) {
  const { left, width } = bars.getBoundingClientRect();
  return Math.max(0, Math.min(STEPS - 1, Math.floor(((event.clientX - left) / width) * STEPS)));
}

/**
 * @param {number} low
 * @param {number} high
 * @param {[string, string]} [words]
 */
function ends(low, high, [near, far] = ["", ""]) {
  /** @param {number} value */
  const show = (value) => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(2));
  const texts = [`${show(low)} ${near}`, `${far} ${show(high)}`];
  return make("div", "sa-scatter-ends", ...texts.map((text) => make("span", "", text.trim())));
}

/**
 * @param {{ name: string, count: number, shape: number, colour: string, on: boolean }} look
 * @param {(event: MouseEvent) => void} toggle
 */
function entry({ name, count, shape, colour, on }, toggle) {
  const node = makeButton("sa-scatter-key", "", toggle);
  const swatch = make("i", "sa-scatter-swatch");
  swatch.style.setProperty("--swatch", colour);
  node.dataset.shape = String(shape);
  node.setAttribute("aria-pressed", String(on));
  node.title = on ? `Hide "${name}"` : `Show "${name}"`;
  node.append(swatch, make("span", "sa-scatter-name", name), make("span", "sa-scatter-count", number(count)));
  return node;
}
