// @ts-check
// The buttons around the plot, the keys, and what the rest of the page tells it.

import { announce, closest, hear } from "../../static/lib/dom.js";
import { colourBy, relabel, retagged } from "./colouring.js";
import { readShown } from "./state.js";

/** @typedef {import("./scatter.js").Scatter} Scatter */
/** @typedef {import("./model.js").Projection} Projection */
/** @typedef {import("./pointer.js").Tool} Tool */
/** @typedef {import("../../static/lib/types.js").Job} Job */

const RESCORES = ["score", "predict"];

export class Controls {
  /** @param {Scatter} scatter */
  constructor(scatter) {
    this.scatter = scatter;
    const { root, choice } = scatter;
    root.addEventListener("click", (event) => this.onClick(event));
    choice.addEventListener("change", async () => {
      await colourBy(scatter, choice.value);
      scatter.sharing.remember();
    });
    document.addEventListener("keydown", (event) => this.onKey(event));
    window.addEventListener("popstate", () => {
      if (root.isConnected) scatter.sharing.restore();
    });
    this.hearThePage();
    this.fetchAfterJobs();
  }

  /** Projection and colours as they are now. */
  reflect() {
    const { model, choice } = this.scatter;
    if (!model) return;
    this.press("to", model.projection);
    const { modeName, mode } = model;
    if (![...choice.options].some(({ value }) => value === modeName)) choice.append(new Option(mode.label, modeName));
    choice.value = modeName;
  }

  hearThePage() {
    const { scatter } = this;
    const { root } = scatter;
    hear(root, "synthaug:labeled", () => {
      scatter.model?.categorise();
      scatter.filters.relabeled();
      scatter.showFiltered(true);
    });
    hear(root, "synthaug:tagged", () => retagged(scatter));
    hear(root, "synthaug:queue", (queue) => scatter.sharing.showQueue(queue));
    hear(root, "synthaug:suspects", () => this.onSuspects());
    hear(root, "synthaug:inspecting", ({ id }) => scatter.ring(id));
    hear(root, "synthaug:relabeled", (label) => relabel(scatter, label));
    hear(root, "synthaug:grid", () => scatter.tellSelection(scatter.model?.selectedPoints ?? []));
    hear(root, "synthaug:peek", ({ point }) => {
      scatter.peeked = point ?? -1;
      scatter.paintOverlay();
    });
    new ResizeObserver(() => {
      if (!scatter.model) return;
      scatter.resize();
      scatter.paint(); // at once: a resized canvas is blank
    }).observe(scatter.stage);
    const themed = new MutationObserver(() => scatter.restyle());
    themed.observe(document.body, { attributes: true, attributeFilter: ["class"] });
  }

  /** The cards of the suspects have come, maybe after the points. */
  onSuspects() {
    const { scatter } = this;
    if (!scatter.model) return;
    announce("synthaug:points", { n: scatter.model.n });
    const { queue } = readShown(location.search, location.hash);
    if (queue) scatter.sharing.want(queue);
  }

  fetchAfterJobs() {
    /** @type {Set<number>} */
    const working = new Set();
    hear(this.scatter.root, "synthaug:jobs", (/** @type {Job[]} */ jobs) => {
      for (const job of jobs) {
        if (!RESCORES.includes(job.kind)) continue;
        if (job.state === "queued" || job.state === "running") working.add(job.id);
        else if (working.delete(job.id) && job.state === "done") this.scatter.load();
      }
    });
  }

  /** @param {MouseEvent} event */
  onClick(event) {
    const button = closest(event, "button");
    if (!button) return;
    const { scatter } = this;
    const { to, tool, zoom, part } = button.dataset;
    if (to) {
      this.press("to", to);
      scatter.switchTo(/** @type {Projection} */ (to));
    }
    if (tool) this.take(/** @type {Tool} */ (tool));
    if (zoom) this.onZoom(Number(zoom));
    if (part === "clear") scatter.select([], false);
    if (part === "everything" && scatter.model) scatter.select(scatter.model.shownPoints, false);
  }

  /** @param {Tool} tool */
  take(tool) {
    this.press("tool", tool);
    this.scatter.pointer.tool = tool;
    this.scatter.stage.dataset.tool = tool;
  }

  /** @param {number} factor 0: see everything */
  onZoom(factor) {
    const { scatter } = this;
    if (!scatter.model) return;
    if (factor) scatter.zoom(factor);
    else {
      scatter.camera.fit(scatter.model.box);
      scatter.draw();
    }
  }

  /**
   * @param {string} group
   * @param {string} value
   */
  press(group, value) {
    for (const button of this.scatter.root.querySelectorAll(`[data-${group}]`)) {
      button.setAttribute("aria-pressed", String(button.getAttribute(`data-${group}`) === value));
    }
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const { pointer, model, root } = this.scatter;
    if (event.key !== "Escape" || event.isComposing || !model || !root.isConnected) return;
    if (pointer.drag) pointer.release(false);
    else if (this.scatter.fill.on) this.scatter.fill.toggle();
    else if (model.selectedCount) this.scatter.select([], false);
  }
}
