// @ts-check
// The plane of the two distances: its axes, the thresholds that are dragged, and a button a quadrant.

import { find, make, makeButton } from "../../static/lib/dom.js";
import { number } from "../../static/lib/words.js";
import { byQuadrant, QUADRANTS, threshold, USUAL } from "./quadrants.js";

/** @typedef {import("./model.js").PlotModel} PlotModel */
/** @typedef {import("./camera.js").Camera} Camera */
/** @typedef {import("./quadrants.js").Thresholds} Thresholds */
/** @typedef {keyof Thresholds} Handle */
/**
 * @typedef {object} Listeners
 * @property {(settled: boolean) => void} moved a threshold was moved; `settled`: and let go
 * @property {(points: number[]) => void} chosen a quadrant was chosen
 */

const HEIGHT = 0.6; // of the plane in the unit box, whose width is 1
const MARGINS = { width: 1.26, height: HEIGHT + 0.14 }; // with room for the names and the axes
const REACH = 6; // CSS pixels around a line in which it is grabbed
const TICKS = [0, 0.25, 0.5, 0.75, 1];

/**
 * Ranks as places in the unit box; what lacks one has none.
 * @param {{ ood_real: Float32Array, ood_synthetic: Float32Array }} columns
 */
export function planeBox({ ood_real, ood_synthetic }) {
  const xy = new Float32Array(2 * ood_real.length);
  for (let i = 0; i < ood_real.length; i++) {
    const known = !Number.isNaN(ood_real[i] + ood_synthetic[i]);
    xy[2 * i] = known ? ood_real[i] - 0.5 : Number.NaN;
    xy[2 * i + 1] = known ? (ood_synthetic[i] - 0.5) * HEIGHT : Number.NaN;
  }
  return { xy, ...MARGINS };
}

export class Plane {
  /**
   * @param {HTMLElement} root
   * @param {Camera} camera
   * @param {Listeners} listeners
   */
  constructor(root, camera, listeners) {
    this.foot = find(root, '[data-part="plane"]', HTMLElement);
    this.list = find(this.foot, '[data-part="quadrants"]', HTMLElement);
    this.camera = camera;
    this.listeners = listeners;
    /** @type {Thresholds} */
    this.thresholds = { ...USUAL };
    for (const input of this.inputs) {
      input.addEventListener("change", () =>
        this.move(/** @type {Handle} */ (input.dataset.threshold), input.valueAsNumber, true),
      );
    }
  }

  get inputs() {
    return this.foot.querySelectorAll("input");
  }

  /** The screen place of two ranks. @param {number} real @param {number} synthetic @returns {[number, number]} */
  at(real, synthetic) {
    return this.camera.toScreen(real - 0.5, (synthetic - 0.5) * HEIGHT);
  }

  // ---------------------------------------------------------------- thresholds

  /** The line under the pointer. @param {[number, number]} place @returns {Handle | null} */
  lineAt([px, py]) {
    const [x, y] = this.at(this.thresholds.far, this.thresholds.sparse);
    const [left, bottom] = this.at(0, 0);
    const [right, top] = this.at(1, 1);
    const within = px >= left - REACH && px <= right + REACH && py >= top - REACH && py <= bottom + REACH;
    if (!within) return null;
    if (Math.abs(px - x) <= REACH) return "far";
    return Math.abs(py - y) <= REACH ? "sparse" : null;
  }

  /** @param {Handle} line @param {[number, number]} place */
  drag(line, place) {
    const [x, y] = this.camera.toWorld(...place);
    this.move(line, line === "far" ? x + 0.5 : y / HEIGHT + 0.5, false);
  }

  /** @param {Handle} line @param {number} value @param {boolean} settled */
  move(line, value, settled) {
    const kept = threshold(value);
    if (kept !== null) this.thresholds = { ...this.thresholds, [line]: kept };
    this.listeners.moved(settled);
  }

  // ---------------------------------------------------------------- what is seen

  /** The row under the plot: what lies in each quadrant. @param {PlotModel} model */
  show(model) {
    this.foot.hidden = model.projection !== "ood";
    if (this.foot.hidden) return;
    for (const input of this.inputs) {
      input.value = this.thresholds[/** @type {Handle} */ (input.dataset.threshold)].toFixed(2);
    }
    const found = byQuadrant(model.columns, this.thresholds, model.visible);
    this.list.replaceChildren(
      ...QUADRANTS.map(({ key, name, hint }) => {
        const button = makeButton("sa-scatter-key", "", () => this.listeners.chosen(found[key]));
        button.title = `${hint}. Click to select them.`;
        button.disabled = !found[key].length;
        button.dataset.quadrant = key;
        const count = make("span", "sa-scatter-count", number(found[key].length));
        button.append(make("span", "sa-scatter-name", name), count);
        return button;
      }),
    );
  }

  /**
   * Axes, thresholds and names, over the points.
   * @param {CanvasRenderingContext2D} pen in CSS pixels
   * @param {(name: string) => string} token a CSS variable
   */
  draw(pen, token) {
    pen.font = `12px ${token("--sa-sans")}`;
    this.drawAxes(pen, token);
    this.drawThresholds(pen, token);
    this.drawNames(pen, token);
    pen.textAlign = "left";
    pen.textBaseline = "alphabetic";
  }

  /** @param {CanvasRenderingContext2D} pen @param {(name: string) => string} token */
  drawAxes(pen, token) {
    const [left, bottom] = this.at(0, 0);
    const [right, top] = this.at(1, 1);
    pen.strokeStyle = token("--sa-line-strong");
    pen.lineWidth = 1;
    pen.strokeRect(left, top, right - left, bottom - top);
    pen.fillStyle = token("--sa-muted");
    pen.textAlign = "center";
    for (const tick of TICKS) {
      const [x, y] = this.at(tick, tick);
      pen.textBaseline = "top";
      pen.fillText(String(tick), x, bottom + 5);
      pen.textBaseline = "middle";
      pen.textAlign = "right";
      pen.fillText(String(tick), left - 6, y);
      pen.textAlign = "center";
    }
    pen.textBaseline = "top";
    pen.fillText("farther from real images (rank) →", (left + right) / 2, bottom + 20);
    pen.save();
    pen.translate(left - 52, (top + bottom) / 2);
    pen.rotate(-Math.PI / 2);
    pen.fillText("farther from other synthetic images (rank) →", 0, 0);
    pen.restore();
  }

  /** @param {CanvasRenderingContext2D} pen @param {(name: string) => string} token */
  drawThresholds(pen, token) {
    const [x, y] = this.at(this.thresholds.far, this.thresholds.sparse);
    const [left, bottom] = this.at(0, 0);
    const [right, top] = this.at(1, 1);
    pen.strokeStyle = pen.fillStyle = token("--sa-accent");
    pen.lineWidth = 1.5;
    pen.beginPath();
    pen.moveTo(x, top);
    pen.lineTo(x, bottom);
    pen.moveTo(left, y);
    pen.lineTo(right, y);
    pen.stroke();
    for (const [px, py] of [
      [x, top],
      [right, y],
    ]) {
      pen.beginPath();
      pen.arc(px, py, 5, 0, 7);
      pen.fill();
    }
  }

  /** @param {CanvasRenderingContext2D} pen @param {(name: string) => string} token */
  drawNames(pen, token) {
    const [x, y] = this.at(this.thresholds.far, this.thresholds.sparse);
    const [left, bottom] = this.at(0, 0);
    const [, top] = this.at(1, 1);
    pen.font = `600 12px ${token("--sa-sans")}`;
    pen.textBaseline = "alphabetic";
    pen.textAlign = "left";
    pen.lineWidth = 4;
    pen.lineJoin = "round";
    /** @type {Record<string, [number, number]>} */
    const places = {
      coverage: [left + 8, top + 18],
      artefact: [x + 8, top + 18],
      typical: [left + 8, Math.max(y + 18, bottom - 8)],
      redundant: [x + 8, Math.max(y + 18, bottom - 8)],
    };
    for (const { key, name } of QUADRANTS) {
      pen.strokeStyle = token("--sa-surface");
      pen.strokeText(name, ...places[key]);
      pen.fillStyle = token("--sa-ink");
      pen.fillText(name, ...places[key]);
    }
  }
}
