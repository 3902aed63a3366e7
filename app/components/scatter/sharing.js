// @ts-check
// The plot and the page's address: what is shown is written there, and what is written there is shown.

import { setAddress } from "../../static/lib/address.js";
import { announce } from "../../static/lib/dom.js";
import { colourBy } from "./colouring.js";
import { MODES } from "./modes.js";
import { readShown, writeShown } from "./state.js";

/** @typedef {import("./scatter.js").Scatter} Scatter */
/** @typedef {import("../../static/lib/types.js").Queue} Queue */

export class Sharing {
  /** @param {Scatter} scatter */
  constructor(scatter) {
    this.scatter = scatter;
    /** The suspects that are selected. @type {Queue | null} */
    this.queue = null;
  }

  /** Show what the address asks for. */
  restore() {
    const { scatter } = this;
    const { model } = scatter;
    if (!model) return;
    const shown = readShown(location.search, location.hash);
    if (model.modeName !== shown.mode && Object.hasOwn(MODES, shown.mode)) model.colourBy(shown.mode);
    if (model.projection !== shown.projection) model.place(shown.projection);
    model.showOnly(shown);
    scatter.plane.thresholds = shown.thresholds;
    scatter.fill.set(shown.full);
    scatter.xy = model.xy;
    scatter.root.dataset.projection = model.projection;
    scatter.camera.fit(model.box);
    scatter.controls.reflect();
    scatter.restyle();
    this.filter(shown);
    if (!Object.hasOwn(MODES, shown.mode)) this.colourByFacet(shown);
    if (shown.queue) return this.want(shown.queue);
    this.queue = null;
    return scatter.showSelection(model.select(model.pointsOf(shown.selected), false));
  }

  /** Colours that have to be asked for, and then what is hidden of them. @param {import("./state.js").Shown} shown */
  async colourByFacet(shown) {
    const { scatter } = this;
    await colourBy(scatter, shown.mode);
    scatter.model?.showOnly(shown);
    scatter.showFiltered();
  }

  /** The filters of the address; some have to be asked for. @param {import("./state.js").Shown} shown */
  async filter({ where, text }) {
    const { facets } = this.scatter.filters;
    if (!Object.keys(where).length && !text && !facets.active) return;
    await this.scatter.filters.restore(where, text);
    this.scatter.showFiltered(true);
  }

  /** Write what is shown into the address. */
  remember() {
    const { model, plane, filters, fill } = this.scatter;
    if (!model) return;
    const { where, text } = filters.facets;
    const queue = this.queue?.kind ?? null;
    const { query, hash } = writeShown({
      ...model.shown,
      thresholds: plane.thresholds,
      where,
      text,
      full: fill.on,
      queue,
    });
    setAddress(query, { hash });
  }

  /** Select a queue: at once where it is at hand, else when it comes. @param {string} queue */
  want(queue) {
    if (this.queue?.kind === queue) this.showQueue(this.queue);
    else announce("synthaug:wanted", { queue });
  }

  /** Select the images of a queue. @param {Queue} queue */
  showQueue(queue) {
    const { model } = this.scatter;
    if (!model) return;
    this.queue = queue;
    this.scatter.showSelection(model.select(model.pointsOf(queue.ids), false));
    this.remember();
  }
}
