// @ts-check
// The scatter plot of the embedding. `props.value` is the number of images in the workspace.
//
// Events on document, the only link to the other components of the page:
//   out  synthaug:selected {points, data}   the selected points, as numbers of the columns in `data`
//   in   synthaug:grid                      a grid has come and wants to be told
//   in   synthaug:labeled                   label or state of some points changed in place
//   in   synthaug:peek     {point | null}   ring this point
//   in   synthaug:jobs                      the shell's poll; a finished scoring is fetched

import { announce, closest, find, hear, make } from "../../static/lib/dom.js";
import { count, number } from "../../static/lib/words.js";
import { Camera } from "./camera.js";
import { Legend } from "./legend.js";
import { PlotModel } from "./model.js";
import { MODES } from "./modes.js";
import { Painter } from "./painter.js";
import { Pointer } from "./pointer.js";
import { decodePoints } from "./points.js";
import { takePoints } from "./request.js";
import { Tip } from "./tip.js";
import { animate, between, moves, viewBetween } from "./transition.js";

/** @typedef {import("./model.js").Projection} Projection */
/** @typedef {import("./pointer.js").Place} Place */
/** @typedef {import("./pointer.js").Tool} Tool */
/** @typedef {import("../../static/lib/types.js").Job} Job */

const HIT = 12; // CSS pixels around the pointer in which a point is hit
const RESCORES = ["score", "predict"];

class Scatter {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.stage = find(root, '[data-part="stage"]', HTMLElement);
    this.surface = find(root, '[data-part="overlay"]', HTMLCanvasElement);
    this.choice = find(root, '[data-part="mode"]', HTMLSelectElement);
    this.choice.append(...Object.entries(MODES).map(([name, { label }]) => new Option(label, name)));
    this.camera = new Camera();
    this.painter = new Painter(root, find(root, '[data-part="points"]', HTMLCanvasElement), this.surface, this.camera);
    this.tip = new Tip(this.part("tip"));
    this.legend = new Legend(root, this.painter, {
      filtered: () => this.showFiltered(),
      spotlight: (category) => {
        this.spotlight = category;
        this.draw();
      },
    });
    this.pointer = this.listenToPointer();
    /** @type {PlotModel | null} */
    this.model = null;
    /** Where the points are now: between two projections, on their way. @type {Float32Array} */
    this.xy = new Float32Array();
    this.moving = false;
    this.images = 0;
    this.spotlight = -1;
    this.hovered = -1;
    this.peeked = -1;
    this.frame = 0;
    this.listen();
  }

  /** @param {string} name */
  part(name) {
    return find(this.root, `[data-part="${name}"]`, HTMLElement);
  }

  // ---------------------------------------------------------------- data

  async load() {
    this.root.dataset.state = "loading";
    try {
      const points = decodePoints(await takePoints());
      if (points.header.n) this.open(points);
      else this.showEmpty("There are no images yet. Import or generate some, then compute features.");
    } catch (error) {
      this.showEmpty(error instanceof Error ? error.message : String(error));
    }
  }

  /** @param {import("./points.js").Points} points */
  open(points) {
    const before = this.model;
    this.model = new PlotModel(points, before?.modeName ?? this.choice.value, before?.projection ?? "pca");
    this.xy = this.model.xy;
    this.root.dataset.state = "ready";
    this.tip.clear();
    this.resize();
    this.camera.fit(this.model.box);
    this.restyle();
    this.select([], false);
    this.showFacts();
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        this.root.dataset.painted = String(points.header.n);
        performance.mark("synthaug:points-painted");
      }),
    );
  }

  /** @param {string} reason */
  showEmpty(reason) {
    this.root.dataset.state = "empty";
    this.part("reason").textContent = reason;
    this.model = null;
    this.tellSelection([]);
  }

  /** Which features these are, and how many images came after them. */
  showFacts() {
    if (!this.model) return;
    const { model, scored_at, n } = this.model.header;
    const late = this.images - n;
    const words = `${count(late, "newer image")} ${late === 1 ? "is" : "are"} not in the plot`;
    const when = scored_at.slice(0, 16).replace("T", " ");
    this.part("facts").replaceChildren(`Features of ${model}, ${when}`, ...(late > 0 ? [make("b", "", words)] : []));
  }

  // ---------------------------------------------------------------- drawing

  resize() {
    const { width, height } = this.stage.getBoundingClientRect();
    this.camera.resize(width, height, this.model?.box);
    this.painter.resize();
  }

  restyle() {
    if (!this.model) return;
    this.painter.restyle(this.model);
    this.showFiltered();
  }

  showFiltered() {
    if (!this.model) return;
    this.part("shown").textContent = `${number(this.model.shownCount)} of ${number(this.model.n)} shown`;
    this.legend.draw(this.model);
    this.draw();
  }

  draw() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.paint();
    });
  }

  paint() {
    if (!this.model || !this.camera.width) return;
    this.painter.paint(this.model, this.xy, this.spotlight);
    this.paintOverlay();
  }

  paintOverlay() {
    if (!this.model) return;
    this.painter.paintOverlay(this.model, this.xy, { path: this.pointer.path, rings: [this.hovered, this.peeked] });
  }

  /** @param {Projection} name */
  switchTo(name) {
    const { model, camera } = this;
    if (!model || model.projection === name) return;
    const [from, view] = [model.xy, camera.view];
    this.hover(-1);
    model.place(name);
    camera.fit(model.box);
    const [to, fitted] = [model.xy, camera.view];
    const done = () => {
      this.xy = to;
      this.moving = false;
      camera.view = fitted;
      model.filter();
      this.showFiltered();
      this.root.dataset.projection = name;
    };
    if (!moves(model.n)) return done();
    this.moving = true;
    this.xy = new Float32Array(from.length);
    return animate((t) => {
      between(from, to, t, this.xy);
      camera.view = viewBetween(view, fitted, t);
      this.paint();
    }, done);
  }

  // ---------------------------------------------------------------- selecting and pointing

  /**
   * @param {number[]} points
   * @param {boolean} add
   */
  select(points, add) {
    if (!this.model) return;
    const all = this.model.select(points, add);
    this.root.dataset.selected = String(all.length);
    this.part("selected").textContent = all.length ? `${number(all.length)} selected` : "";
    this.part("clear").hidden = !all.length;
    this.tellSelection(all);
    this.draw();
  }

  /** @param {number[]} points */
  tellSelection(points) {
    announce("synthaug:selected", { points, data: this.model });
  }

  /**
   * @param {Place[]} loop
   * @param {boolean} add
   */
  enclose(loop, add) {
    performance.mark("synthaug:lasso-released");
    if (loop.length >= 3 && this.model) {
      const polygon = Float64Array.from(loop.flatMap(([x, y]) => this.camera.toWorld(x, y)));
      this.select(this.model.enclosed(polygon), add);
    } else if (!add) this.select([], false);
  }

  /** @param {number} point -1: none */
  hover(point) {
    if (point === this.hovered) return;
    this.hovered = point;
    this.paintOverlay();
    if (point < 0 || !this.model) this.tip.hide();
    else this.tip.show(this.model, point, this.screenOf(point));
  }

  /** @param {number} point @returns {[number, number]} */
  screenOf(point) {
    return this.camera.toScreen(this.xy[2 * point], this.xy[2 * point + 1]);
  }

  /** @param {Place} place */
  pointAt(place) {
    const [x, y] = this.camera.toWorld(...place);
    return this.model?.nearest(x, y, HIT / this.camera.view.k) ?? -1;
  }

  /**
   * @param {number} factor
   * @param {Place} [place]
   */
  zoom(factor, place) {
    this.camera.zoom(factor, ...(place ?? []));
    this.hover(-1);
    this.draw();
  }

  listenToPointer() {
    let start = this.camera.view;
    return new Pointer(this.surface, {
      ready: () => this.model !== null && !this.moving,
      hovered: (place) => this.hover(place ? this.pointAt(place) : -1),
      panStarted: () => {
        start = { ...this.camera.view };
      },
      panned: (dx, dy) => {
        this.camera.view = { x: start.x - dx / start.k, y: start.y + dy / start.k, k: start.k };
        this.draw();
      },
      drawn: () => this.paintOverlay(),
      enclosed: (loop, add) => this.enclose(loop, add),
      zoomed: (factor, place) => {
        if (factor < 1 && this.camera.widest) return false;
        this.zoom(factor, place);
        return true;
      },
    });
  }

  // ---------------------------------------------------------------- controls and the rest of the page

  listen() {
    this.root.addEventListener("click", (event) => this.onClick(event));
    this.choice.addEventListener("change", () => {
      this.model?.colourBy(this.choice.value);
      this.restyle();
    });
    document.addEventListener("keydown", (event) => this.onKey(event));
    hear(this.root, "synthaug:labeled", () => {
      this.model?.categorise();
      this.model?.filter();
      this.showFiltered();
    });
    hear(this.root, "synthaug:grid", () => this.tellSelection(this.model?.selectedPoints ?? []));
    hear(this.root, "synthaug:peek", ({ point }) => {
      this.peeked = point ?? -1;
      this.paintOverlay();
    });
    this.fetchAfterJobs();
    new ResizeObserver(() => {
      if (!this.model) return;
      this.resize();
      this.paint(); // at once: a resized canvas is blank
    }).observe(this.stage);
    const themed = new MutationObserver(() => this.restyle());
    themed.observe(document.body, { attributes: true, attributeFilter: ["class"] });
  }

  fetchAfterJobs() {
    /** @type {Set<number>} */
    const working = new Set();
    hear(this.root, "synthaug:jobs", (/** @type {Job[]} */ jobs) => {
      for (const job of jobs) {
        if (!RESCORES.includes(job.kind)) continue;
        if (job.state === "queued" || job.state === "running") working.add(job.id);
        else if (working.delete(job.id) && job.state === "done") this.load();
      }
    });
  }

  /** @param {MouseEvent} event */
  onClick(event) {
    const button = closest(event, "button");
    if (!button) return;
    const { to, tool, zoom, part } = button.dataset;
    if (to) {
      this.press("to", to);
      this.switchTo(/** @type {Projection} */ (to));
    }
    if (tool) {
      this.press("tool", tool);
      this.pointer.tool = /** @type {Tool} */ (tool);
      this.stage.dataset.tool = tool;
    }
    if (zoom) this.onZoom(Number(zoom));
    if (part === "clear") this.select([], false);
    if (part === "everything" && this.model) this.select(this.model.shownPoints, false);
  }

  /** @param {number} factor 0: see everything */
  onZoom(factor) {
    if (!this.model) return;
    if (factor) this.zoom(factor);
    else {
      this.camera.fit(this.model.box);
      this.draw();
    }
  }

  /**
   * @param {string} group
   * @param {string} value
   */
  press(group, value) {
    for (const button of this.root.querySelectorAll(`[data-${group}]`)) {
      button.setAttribute("aria-pressed", String(button.getAttribute(`data-${group}`) === value));
    }
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (event.key !== "Escape" || event.isComposing || !this.model || !this.root.isConnected) return;
    if (this.pointer.drag) this.pointer.release(false);
    else if (this.model.selectedCount) this.select([], false);
  }
}

/** @param {import("../../static/lib/types.js").Component} component */
export function mount({ element, props, watch }) {
  const root = find(element, ".sa-scatter", HTMLElement);
  const scatter = new Scatter(root);
  const countImages = () => {
    scatter.images = Number(props.value);
    scatter.showFacts();
  };
  countImages();
  watch("value", countImages);
  // For tests and the benchmark: where a point lies on the page, and what is selected.
  Object.assign(root, {
    scatter: {
      /** @param {number} id */
      locate: (id) => {
        const { left, top } = scatter.surface.getBoundingClientRect();
        const [x, y] = scatter.screenOf(scatter.model?.columns.ids.indexOf(id) ?? -1);
        return [left + x, top + y];
      },
      selectedIds: () => Array.from(scatter.model?.columns.ids.filter((_, i) => scatter.model?.selected[i]) ?? []),
    },
  });
  scatter.load();
}
