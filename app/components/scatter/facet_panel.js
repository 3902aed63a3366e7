// @ts-check
// The panel beside the plot: a search in prompts, and a list of values with counts a facet.

import { find, make, makeButton } from "../../static/lib/dom.js";
import { number } from "../../static/lib/words.js";
import { Facets } from "./facets.js";
import { BY_FACET, facetMode } from "./modes.js";
import { CHANGING, ownFacets } from "./own_facets.js";
import { decodePoints } from "./points.js";
import { fetchBytes } from "./request.js";

/** @typedef {import("./model.js").PlotModel} PlotModel */
/** @typedef {import("./facets.js").Facet} Facet */
/** @typedef {import("./facets.js").Where} Where */

const FEW = 6; // values that are listed before "all"
const OPEN = ["class", "origin", "slot", "generator"]; // what stands open at first

export class FacetPanel {
  /**
   * @param {HTMLElement} root
   * @param {{ changed: () => void, coloured: (mode: string) => void }} listeners what is kept is something else; points
   *   are to be coloured by a facet
   */
  constructor(root, { changed, coloured }) {
    this.coloured = coloured;
    this.panel = find(root, '[data-part="filters"]', HTMLElement);
    this.list = find(this.panel, '[data-part="facets"]', HTMLElement);
    this.box = find(this.panel, 'input[type="search"]', HTMLInputElement);
    this.status = find(this.panel, '[data-part="found"]', HTMLElement);
    this.opener = find(root, '[data-part="filter"]', HTMLButtonElement);
    this.changed = changed;
    /** @type {PlotModel | null} */
    this.model = null;
    this.facets = new Facets(0);
    this.complete = false;
    /** Titles whose lists are open or shut by hand. @type {Map<string, boolean>} */
    this.opened = new Map();
    /** Facets whose values are all listed. @type {Set<string>} */
    this.whole = new Set();
    this.opener.addEventListener("click", () => this.toggle());
    find(this.panel, '[data-part="clear-filters"]', HTMLElement).addEventListener("click", () => this.clear());
    this.box.addEventListener("change", () => this.search(this.box.value.trim()).then(changed));
  }

  /** Another set of points: nothing is filtered, nothing asked for. @param {PlotModel} model */
  take(model) {
    this.model = model;
    this.facets = new Facets(model.n);
    this.complete = false;
    model.failed = this.facets.failed;
    if (this.panel.hidden) return;
    this.begin();
    this.completed().then(() => this.show());
  }

  /** The facets that follow from the points; not before they are needed, for the first paint does not wait for them. */
  begin() {
    if (this.model && !this.facets.list.length) this.facets.know(ownFacets(this.model));
  }

  toggle() {
    this.panel.hidden = !this.panel.hidden;
    this.opener.setAttribute("aria-expanded", String(!this.panel.hidden));
    if (this.panel.hidden) return;
    this.begin();
    this.show();
    this.completed().then(() => this.show());
  }

  /** Ask for the facets that the points do not tell, once. */
  async completed() {
    const { model } = this;
    if (this.complete || !model) return;
    const { header, columns } = decodePoints(await fetchBytes("/data/facets"));
    if (this.model !== model) return;
    const asked = /** @type {Facet[]} */ (header.facets ?? []);
    for (const facet of asked) facet.codes = /** @type {any} */ (columns)[facet.name];
    if (asked.every(({ codes }) => codes.length === model.n)) this.facets.know([...ownFacets(model), ...asked]);
    this.complete = true;
  }

  /** The colours of a mode "facet:NAME"; null where there is no such facet. @param {string} mode */
  async modeOf(mode) {
    this.begin();
    const named = () => this.facets.list.find(({ name }) => BY_FACET + name === mode);
    if (!named()) await this.completed();
    const facet = named();
    return facet ? facetMode(facet) : null;
  }

  /** The app knows other facets now; asked for again where they were asked for. */
  async refetch() {
    if (!this.complete) return;
    this.complete = false;
    await this.completed();
  }

  /** Want what an address says, then tell. @param {Where} where @param {string} text */
  async restore(where, text) {
    this.begin();
    const known = this.facets.list.map(({ name }) => name);
    if (!Object.keys(where).every((name) => known.includes(name))) await this.completed();
    this.facets.want(where);
    if (text !== this.facets.text) await this.search(text);
    this.box.value = text;
  }

  /** @param {string} text */
  async search(text) {
    const { model } = this;
    if (!model) return;
    const found = text ? new Uint32Array(await fetchBytes(`/data/search?text=${encodeURIComponent(text)}`)) : [];
    this.facets.search(text, model.pointsOf(Array.from(found)));
  }

  clear() {
    this.facets.want({});
    this.facets.search("", []);
    this.box.value = "";
    this.changed();
  }

  /** Labels were given: class and review are others now. */
  relabeled() {
    if (!this.model || !this.facets.list.length) return;
    for (const { name, codes } of ownFacets(this.model)) if (CHANGING.includes(name)) this.facets.recode(name, codes);
  }

  // ---------------------------------------------------------------- what is seen

  show() {
    const { wanted, text, active } = this.facets;
    const filters = wanted.size + (text ? 1 : 0);
    this.opener.textContent = filters ? `Filter (${filters})` : "Filter";
    this.opener.setAttribute("aria-pressed", String(active));
    if (this.panel.hidden) return;
    this.status.textContent = text ? `Prompts with "${text}"` : "";
    const { key } = document.activeElement instanceof HTMLElement ? document.activeElement.dataset : {};
    this.list.replaceChildren(...this.facets.list.map((facet) => this.group(facet)));
    const focused = key && this.list.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  }

  /** @param {Facet} facet */
  group(facet) {
    const chosen = this.facets.wanted.get(facet.name);
    const counts = this.facets.counts(facet);
    const codes = this.listed(facet, counts);
    const group = make(
      "details",
      "",
      make("summary", "", facet.title, chosen ? make("b", "", String(chosen.size)) : null),
    );
    group.open = this.opened.get(facet.name) ?? (chosen !== undefined || OPEN.includes(facet.name.split(":")[0]));
    group.addEventListener("toggle", () => this.opened.set(facet.name, group.open));
    const colour = makeButton("sa-scatter-link", "Colour by this", () => this.coloured(BY_FACET + facet.name));
    colour.title = `Colour the points by ${facet.title}`;
    group.append(colour);
    group.append(...codes.map((code) => this.row(facet, code, counts[code])));
    const left = facet.values.length - codes.filter((code) => code > 0).length;
    if (left > 0) group.append(makeButton("sa-scatter-link", `${number(left)} more`, () => this.listAll(facet.name)));
    return group;
  }

  /** The codes that are listed: the first few and whatever is chosen; "none" where points have none. @param {Facet} facet @param {Uint32Array} counts */
  listed(facet, counts) {
    const chosen = this.facets.wanted.get(facet.name);
    const all = facet.values.map((_, i) => i + 1);
    const few = this.whole.has(facet.name) ? all : all.filter((code, i) => i < FEW || chosen?.has(code));
    return counts[0] || chosen?.has(0) ? [...few, 0] : few;
  }

  /** @param {string} name */
  listAll(name) {
    this.whole.add(name);
    this.show();
  }

  /** @param {Facet} facet @param {number} code @param {number} count */
  row(facet, code, count) {
    const box = make("input");
    box.type = "checkbox";
    box.dataset.key = `${facet.name} ${code}`;
    box.checked = this.facets.wanted.get(facet.name)?.has(code) ?? false;
    box.addEventListener("change", () => {
      this.facets.choose(facet.name, code, box.checked);
      this.changed();
    });
    const name = code ? facet.values[code - 1] : "none";
    const words = make("span", code ? "" : "none", name);
    const row = make("label", count ? "" : "empty", box, words, make("em", "", number(count)));
    row.title = name;
    return row;
  }
}
