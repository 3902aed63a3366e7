// @ts-check
// The plot without a mouse: while it has the focus a cross is moved over it, and keys act on the point nearest to it.

import { announce } from "../../static/lib/dom.js";
import { classOf } from "./modes.js";
import { NONE, ORIGINS, STATES } from "./points.js";

/** @typedef {import("./scatter.js").Scatter} Scatter */
/** @typedef {import("./model.js").PlotModel} PlotModel */

const STEP = 40; // CSS pixels that an arrow moves the cross
const FINE = 8; // with Shift
const REACH = 60; // CSS pixels around the cross in which a point is found
const ZOOM = 1.5;

export const HELP =
  "Scatter plot of the images. Arrow keys move the cross, with Shift in small steps; Enter opens the image nearest to it, " +
  "Space selects it, V selects all in view, plus and minus zoom, 0 shows everything, " +
  "F fills the window and Escape leaves it.";

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * The cross after a move, and how far the view has to follow because it would leave the plot.
 * @param {[number, number]} cross CSS pixels
 * @param {[number, number]} by
 * @param {{ width: number, height: number }} size
 */
export function moved([x, y], [dx, dy], { width, height }) {
  const [wantedX, wantedY] = [x + dx, y + dy];
  const [toX, toY] = [Math.max(0, Math.min(width, wantedX)), Math.max(0, Math.min(height, wantedY))];
  return {
    cross: /** @type {[number, number]} */ ([toX, toY]),
    pan: /** @type {[number, number]} */ ([wantedX - toX, wantedY - toY]),
  };
}

/** A point in words. @param {PlotModel} model @param {number} point */
export function spoken({ columns, header }, point) {
  const name = (/** @type {number} */ index) => (index === NONE ? "no class" : header.classes[index]);
  const guess = columns.predicted[point];
  return [
    `image ${columns.ids[point]}`,
    ORIGINS[columns.origin[point]],
    name(classOf(columns, point)),
    guess === NONE ? null : `predicted ${name(guess)}`,
    STATES[columns.state[point]],
  ]
    .filter((part) => part !== null)
    .join(", ");
}

export class PlotKeys {
  /** @param {Scatter} scatter */
  constructor(scatter) {
    this.scatter = scatter;
    const { surface } = scatter;
    surface.tabIndex = 0;
    surface.setAttribute("role", "application");
    surface.setAttribute("aria-label", HELP);
    surface.addEventListener("keydown", (event) => this.onKey(event));
    surface.addEventListener("focus", () => {
      if (surface.matches(":focus-visible")) this.place([scatter.camera.width / 2, scatter.camera.height / 2]);
    });
    surface.addEventListener("blur", () => this.leave());
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const { scatter } = this;
    const { model } = scatter;
    if (!model || scatter.moving || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const arrow = ARROWS[event.key];
    const step = event.shiftKey ? FINE : STEP;
    /** @type {Record<string, () => void>} */
    const actions = {
      Enter: () => this.open(model),
      " ": () => this.choose(model),
      v: () => scatter.select(this.inView(model), false),
      "+": () => this.zoom(ZOOM),
      "-": () => this.zoom(1 / ZOOM),
      0: () => scatter.controls.onZoom(0),
    };
    const act = arrow
      ? () => this.move([arrow[0] * step, arrow[1] * step])
      : (actions[event.key.toLowerCase()] ?? actions[event.key]);
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  /** @param {[number, number]} by */
  move(by) {
    const { scatter } = this;
    const { camera } = scatter;
    const at = scatter.cross ?? /** @type {[number, number]} */ ([camera.width / 2, camera.height / 2]);
    const { cross, pan } = moved(at, by, camera);
    const { x, y, k } = camera.view;
    camera.view = { x: x + pan[0] / k, y: y - pan[1] / k, k };
    if (pan[0] || pan[1]) scatter.drawMoving();
    this.place(cross);
  }

  /** @param {[number, number]} cross */
  place(cross) {
    const { scatter } = this;
    scatter.cross = cross;
    const point = this.nearest();
    scatter.hover(point);
    scatter.paintOverlay();
    if (scatter.model) scatter.part("spoken").textContent = point < 0 ? "no image here" : spoken(scatter.model, point);
  }

  leave() {
    this.scatter.cross = null;
    this.scatter.hover(-1);
    this.scatter.paintOverlay();
  }

  nearest() {
    const { cross, camera, model } = this.scatter;
    if (!cross || !model) return -1;
    const [x, y] = camera.toWorld(...cross);
    return model.nearest(x, y, REACH / camera.view.k);
  }

  /** @param {number} factor */
  zoom(factor) {
    this.scatter.zoom(factor, this.scatter.cross ?? undefined);
    if (this.scatter.cross) this.place(this.scatter.cross);
  }

  /** @param {PlotModel} model */
  open(model) {
    const point = this.nearest();
    if (point >= 0) announce("synthaug:inspect", { key: model.columns.ids[point] });
  }

  /** @param {PlotModel} model */
  choose(model) {
    const point = this.nearest();
    if (point >= 0) this.scatter.select(model.selected[point] ? [] : [point], true);
  }

  /** @param {PlotModel} model */
  inView(model) {
    const { camera } = this.scatter;
    const [left, top] = camera.toWorld(0, 0);
    const [right, bottom] = camera.toWorld(camera.width, camera.height);
    return model.enclosed([left, top, right, top, right, bottom, left, bottom]);
  }
}
