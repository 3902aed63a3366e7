// @ts-check
// The scatter plot of the embedding. `props.value` is the number of images in the workspace.
//
// Events on document, the only link to the other components of the page:
//   out  synthaug:selected {points, data, queue}   what is selected, as numbers of columns; `queue`: of suspects, or null
//   out  synthaug:filtered {data}           other points are shown, and none is selected
//   out  synthaug:points   {n}              the points stand
//   out  synthaug:wanted   {queue}          the address names a queue of suspects
//   in   synthaug:queue    Queue            select these suspects
//   in   synthaug:grid                      a grid has come and wants to be told
//   in   synthaug:labeled                   some points were labeled in place
//   in   synthaug:peek     {point | null}   ring this point
//   out  synthaug:inspect  {key, ids?}      open this image; a click on its point
//   in   synthaug:inspecting {id | null}    ring the image that is open
//   in   synthaug:relabeled {id, value, class_index}   one image has another label
//   in   synthaug:tagged                    some images have other tags
//   in   synthaug:jobs                      the shell's poll; a finished scoring is fetched

import { announce, find, make } from "../../static/lib/dom.js";
import { count, number } from "../../static/lib/words.js";
import { Camera } from "./camera.js";
import { colourBy } from "./colouring.js";
import { Controls } from "./controls.js";
import { FacetPanel } from "./facet_panel.js";
import { pointerOf } from "./gestures.js";
import { PlotKeys } from "./keyboard.js";
import { Legend } from "./legend.js";
import { PlotModel } from "./model.js";
import { MODES } from "./modes.js";
import { Painter } from "./painter.js";
import { Plane } from "./plane.js";
import { decodePoints, METHODS } from "./points.js";
import { takePoints } from "./request.js";
import { Sharing } from "./sharing.js";
import { readShown } from "./state.js";
import { Tip } from "./tip.js";
import { animate, between, moves, viewBetween } from "./transition.js";
import { PlotFill } from "./window_fill.js";

/** @typedef {import("./model.js").Projection} Projection */
/** @typedef {import("./pointer.js").Place} Place */

const REST_MS = 120; // without a move of the view, before all points are drawn
const HIT = 12; // CSS pixels around the pointer in which a point is hit

export class Scatter {
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
      filtered: () => {
        this.showFiltered();
        this.tellFiltered();
        this.sharing.remember();
      },
      spotlight: (category) => {
        this.spotlight = category;
        this.draw();
      },
    });
    this.filters = new FacetPanel(root, {
      changed: () => {
        this.showFiltered(true);
        this.tellFiltered();
        this.sharing.remember();
      },
      coloured: (name) => colourBy(this, name).then(() => this.sharing.remember()),
    });
    this.plane = new Plane(root, this.camera, {
      moved: (settled) => {
        this.showPlane();
        if (settled) this.sharing.remember();
      },
      chosen: (points) => this.select(points, false),
    });
    this.pointer = pointerOf(this);
    /** @type {PlotModel | null} */
    this.model = null;
    /** Where the points are now: between two projections, on their way. @type {Float32Array} */
    this.xy = new Float32Array();
    /** Whether the points are between two projections. */
    this.moving = false;
    /** Whether the view is panned or zoomed right now. */
    this.panning = false;
    this.rest = 0;
    this.images = 0;
    /** The threshold that is dragged. @type {import("./plane.js").Handle | null} */
    this.held = null;
    this.spotlight = -1;
    this.hovered = -1;
    this.peeked = -1;
    /** The point whose image is open in the inspector. */
    this.inspected = -1;
    this.frame = 0;
    /** Where the keys have put the cross, in CSS pixels. @type {Place | null} */
    this.cross = null;
    this.sharing = new Sharing(this);
    this.fill = new PlotFill(root, () => this.sharing.remember());
    this.controls = new Controls(this);
    this.keys = new PlotKeys(this);
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
    const { mode, projection } = readShown(location.search, location.hash);
    this.model = new PlotModel(points, Object.hasOwn(MODES, mode) ? mode : "origin", projection);
    this.filters.take(this.model);
    this.setState("ready");
    this.tip.clear();
    this.resize();
    this.sharing.restore();
    this.showFacts();
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        this.root.dataset.painted = String(points.header.n);
        performance.mark("synthaug:points-painted");
        announce("synthaug:points", { n: points.header.n });
      }),
    );
  }

  /** @param {"ready" | "empty"} state */
  setState(state) {
    this.root.dataset.state = state;
    find(this.root, ".sa-scatter-bar", HTMLElement).inert = state === "empty"; // there is nothing to choose from
  }

  /** @param {string} reason */
  showEmpty(reason) {
    this.setState("empty");
    this.part("reason").textContent = reason;
    this.model = null;
    this.tellSelection([]);
  }

  /** Which features these are, and how many images came after them. */
  showFacts() {
    if (!this.model) return;
    const { model, ood_method, scored_at, n, umap_placed } = this.model.header;
    const late = this.images - n;
    const words = `${count(late, "newer image")} ${late === 1 ? "is" : "are"} not in the plot`;
    const when = scored_at.slice(0, 16).replace("T", " ");
    this.part("facts").replaceChildren(
      `Features of ${model}, distances by ${METHODS[ood_method]}, ${when}`,
      ...(umap_placed > 0
        ? [make("span", "", `UMAP placed ${count(umap_placed, "image")} that came after its fit`)]
        : []),
      ...(late > 0 ? [make("b", "", words)] : []),
    );
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

  /** @param {boolean} anew whether the filters keep other points than before */
  showFiltered(anew = false) {
    if (!this.model) return;
    if (anew) this.model.filter();
    this.filters.show();
    this.part("shown").textContent = `${number(this.model.shownCount)} of ${number(this.model.n)} shown`;
    this.legend.draw(this.model);
    this.plane.show(this.model);
    this.draw();
  }

  showPlane() {
    if (!this.model) return;
    this.plane.show(this.model);
    this.paintOverlay();
  }

  draw() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.paint();
    });
  }

  /** The view moves: draw what there is time for, and all of it once the view rests. */
  drawMoving() {
    this.panning = true;
    clearTimeout(this.rest);
    this.rest = window.setTimeout(() => {
      this.panning = false;
      this.draw();
    }, REST_MS);
    this.draw();
  }

  paint() {
    if (!this.model || !this.camera.width) return;
    this.painter.paint(this.model, this.xy, this.spotlight, this.panning);
    this.paintOverlay();
  }

  paintOverlay() {
    if (!this.model) return;
    this.painter.paintOverlay(this.model, this.xy, {
      path: this.pointer.path,
      rings: [this.hovered, this.peeked, this.inspected],
      cross: this.cross,
      plane: this.model.projection === "ood" && !this.moving ? this.plane : null,
    });
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
    this.sharing.remember();
    const done = () => {
      this.xy = to;
      this.moving = false;
      camera.view = fitted;
      model.filter();
      this.showFiltered();
      this.root.dataset.projection = name;
      this.tellFiltered();
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
    this.sharing.queue = null;
    this.showSelection(this.model.select(points, add));
    this.sharing.remember();
  }

  /** @param {number[]} all the selected points */
  showSelection(all) {
    this.root.dataset.selected = String(all.length);
    this.part("selected").textContent = all.length ? `${number(all.length)} selected` : "";
    this.part("clear").hidden = !all.length;
    this.tellSelection(all);
    this.draw();
  }

  /** @param {number[]} points */
  tellSelection(points) {
    announce("synthaug:selected", { points, data: this.model, queue: this.sharing.queue });
    announce("synthaug:shown", { queue: this.sharing.queue?.kind ?? null });
  }

  /** Other points are shown; whoever shows what is not selected needs to know. */
  tellFiltered() {
    if (this.model && !this.model.selectedCount) announce("synthaug:filtered", { data: this.model });
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
    } else this.onPoint(loop[0], add);
  }

  /**
   * A click on a point opens its image, with Ctrl it selects it; a click beside all points selects none.
   * @param {Place} place
   * @param {boolean} add
   */
  onPoint(place, add) {
    const point = this.pointAt(place);
    if (!this.model || (point < 0 && add)) return;
    const { model } = this;
    if (add) this.select([point], true);
    else if (point < 0) this.select([], false);
    else {
      const ids = model.selected[point] ? undefined : model.shownPoints.map((each) => model.columns.ids[each]);
      announce("synthaug:inspect", { key: model.columns.ids[point], ids });
    }
  }

  /** Ring the image that is open. @param {number | null} id */
  ring(id) {
    this.inspected = id === null ? -1 : (this.model?.pointsOf([id])[0] ?? -1);
    this.paintOverlay();
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
  lineAt(place) {
    return this.model?.projection === "ood" ? this.plane.lineAt(place) : null;
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
    this.drawMoving();
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
        const [x, y] = scatter.screenOf(scatter.model?.pointsOf([id])[0] ?? -1);
        return [scatter.surface.getBoundingClientRect().left + x, scatter.surface.getBoundingClientRect().top + y];
      },
      /** Left, bottom, right and top of the plane of two distances. */
      plane: () => [...scatter.plane.at(0, 0), ...scatter.plane.at(1, 1)],
      selectedIds: () => Array.from(scatter.model?.columns.ids.filter((_, i) => scatter.model?.selected[i]) ?? []),
    },
  });
  scatter.load();
}
