// @ts-check
// Draws the points and, on a second canvas above, the lasso and the rings: the pointer moves without a redraw.

import { Density, MANY } from "./density.js";
import { rampColour, STEPS } from "./modes.js";
import { NONE, SYNTHETIC, TEST } from "./points.js";

/** @typedef {import("./model.js").PlotModel} PlotModel */
/** @typedef {import("./camera.js").Camera} Camera */
/** @typedef {{ image: HTMLCanvasElement, size: number }} Sprite */
/**
 * @typedef {object} Overlay
 * @property {[number, number][] | null} path a lasso in CSS pixels
 * @property {number[]} rings ringed points
 * @property {[number, number] | null} cross where the keys point, in CSS pixels
 * @property {import("./plane.js").Plane | null} plane its axes and thresholds, where they are shown
 */

const OFF = 20; // pixels outside the canvas from which on a point is not drawn
const FAINT = 0.13;
/** Of a single point among very many: every colour still has a contrast of 3 to 1 (tests/app/test_contrast.py). */
const LEAST_OPACITY = 0.78;
const CROSS = [
  [1, 0],
  [-1, 0],
  [0, 1],
  [0, -1],
];
const RAMP_STOPS = [0, 1, 2, 3, 4].map((stop) => `--sa-ramp-${stop}`);

/** @param {HTMLCanvasElement} canvas */
function penOf(canvas) {
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("this browser draws no 2D canvas");
  return pen;
}

export class Painter {
  /**
   * @param {HTMLElement} root whose CSS variables are the colours
   * @param {HTMLCanvasElement} points
   * @param {HTMLCanvasElement} overlay
   * @param {Camera} camera
   */
  constructor(root, points, overlay, camera) {
    this.style = getComputedStyle(root);
    this.canvases = [points, overlay];
    this.pen = penOf(points);
    this.top = penOf(overlay);
    this.camera = camera;
    this.dpr = 1;
    /** The colour of every category. @type {string[]} */
    this.colours = [];
    /** @type {Map<number, Sprite>} */
    this.sprites = new Map();
    this.density = new Density();
    this.layer = document.createElement("canvas");
    this.image = new ImageData(1, 1);
    /** One flag a point: whether the pass at hand draws it. */
    this.flags = new Uint8Array(0);
  }

  /** A CSS variable. @param {string} name */
  token(name) {
    return this.style.getPropertyValue(name).trim();
  }

  /** The canvases at the camera's size. */
  resize() {
    this.dpr = window.devicePixelRatio || 1;
    for (const canvas of this.canvases) {
      canvas.width = Math.max(1, Math.round(this.camera.width * this.dpr));
      canvas.height = Math.max(1, Math.round(this.camera.height * this.dpr));
    }
    this.sprites.clear();
  }

  /** Read the colours anew: another mode, or light turned dark. @param {PlotModel} model */
  restyle(model) {
    this.sprites.clear();
    this.colours = [];
    if (model.figures) {
      const stops = RAMP_STOPS.map((name) => this.token(name));
      for (let step = 0; step < STEPS; step++) this.colours[step] = rampColour(stops, step / (STEPS - 1));
    }
    for (const { key, colour } of model.named) this.colours[key] = this.token(colour);
    this.colours[NONE] = this.token(model.figures ? "--sa-faint" : "--sa-muted");
  }

  /**
   * Every shown point; what is selected, or else of the category `spotlight`, over the faint others.
   * @param {PlotModel} model
   * @param {ArrayLike<number>} xy where they are now, also between two projections
   * @param {number} spotlight -1 for none
   * @param {boolean} [moving] whether the view moves: of many points a sample will do
   */
  paint(model, xy, spotlight, moving = false) {
    const { pen } = this;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, pen.canvas.width, pen.canvas.height);
    const lit = litBy(model, spotlight);
    const usual = Math.max(LEAST_OPACITY, Math.min(0.95, 1.15 - 0.15 * Math.log10(model.n)));
    const passes = lit
      ? [
          { alpha: FAINT, wanted: (/** @type {number} */ i) => !lit(i), strong: false },
          { alpha: 1, wanted: lit, strong: true },
        ]
      : [{ alpha: usual, wanted: null, strong: false }];
    for (const { alpha, wanted, strong } of passes) {
      pen.globalAlpha = alpha;
      if (model.n >= MANY) this.densePass(model, xy, wanted, strong, moving);
      else this.pass(model, xy, wanted ?? (() => true), strong);
    }
    pen.globalAlpha = 1;
  }

  /**
   * As `pass`, as pixels where there are many in view.
   * @param {PlotModel} model
   * @param {ArrayLike<number>} xy
   * @param {((i: number) => unknown) | null} wanted null: all that are shown
   * @param {boolean} strong
   * @param {boolean} moving
   */
  densePass(model, xy, wanted, strong, moving) {
    const { pen, dpr, camera } = this;
    const { width, height } = pen.canvas;
    const k = camera.view.k * dpr;
    const field = {
      width,
      height,
      k,
      left: (camera.width / 2) * dpr - camera.view.x * k,
      top: (camera.height / 2) * dpr + camera.view.y * k,
      size: Math.max(1, Math.round(camera.radius(model.n) * dpr * (strong ? 1.15 : 1))),
    };
    const { order, category, visible } = model;
    const shown = wanted ? this.flag(visible, wanted) : visible;
    const marks = { order, xy, category, wanted: shown };
    if (this.layer.width !== width || this.layer.height !== height) {
      this.layer.width = width;
      this.layer.height = height;
      this.image = new ImageData(width, height);
    }
    const { data } = this.image;
    const options = { part: wanted !== null, moving };
    const dense = this.density.paint(data, field, marks, this.colours, pen.globalAlpha, options);
    if (!dense) return this.pass(model, xy, (i) => shown[i], strong);
    penOf(this.layer).putImageData(this.image, 0, 0);
    pen.globalAlpha = 1; // it is in the image already
    return pen.drawImage(this.layer, 0, 0); // over what is there, which putImageData would replace
  }

  /** One flag a point: whether it is shown and wanted. @param {Uint8Array} visible @param {(i: number) => unknown} wanted */
  flag(visible, wanted) {
    if (this.flags.length !== visible.length) this.flags = new Uint8Array(visible.length);
    for (let i = 0; i < visible.length; i++) this.flags[i] = visible[i] && wanted(i) ? 1 : 0;
    return this.flags;
  }

  /**
   * @param {PlotModel} model
   * @param {ArrayLike<number>} xy
   * @param {(i: number) => unknown} wanted
   * @param {boolean} strong
   */
  pass(model, xy, wanted, strong) {
    const { pen, dpr, camera } = this;
    const { order, visible, category } = model;
    const { origin } = model.columns;
    const { width, height } = pen.canvas;
    const size = camera.radius(model.n);
    const k = camera.view.k * dpr;
    const left = (camera.width / 2) * dpr - camera.view.x * k;
    const top = (camera.height / 2) * dpr + camera.view.y * k;
    for (let place = 0; place < order.length; place++) {
      const i = order[place];
      if (!visible[i] || !wanted(i)) continue;
      const x = xy[2 * i] * k + left;
      const y = top - xy[2 * i + 1] * k;
      if (x < -OFF || y < -OFF || x > width + OFF || y > height + OFF) continue;
      const image = this.sprite(origin[i], category[i], size, strong);
      pen.drawImage(image, Math.round(x - image.width / 2), Math.round(y - image.height / 2));
    }
  }

  /**
   * One point as an image: dots are real, rings are test images, diamonds are synthetic.
   * @param {number} origin
   * @param {number} category
   * @param {number} size radius in CSS pixels
   * @param {boolean} strong
   */
  sprite(origin, category, size, strong) {
    const id = origin * 512 + category * 2 + (strong ? 1 : 0);
    const known = this.sprites.get(id);
    if (known && known.size === size) return known.image;
    const image = document.createElement("canvas");
    const radius = size * this.dpr * (strong ? 1.15 : 1);
    image.width = image.height = Math.ceil(radius * 2 + 4 * this.dpr) | 1;
    this.drawShape(penOf(image), origin, this.colours[category], radius);
    this.sprites.set(id, { image, size });
    return image;
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {number} origin
   * @param {string} colour
   * @param {number} radius device pixels
   */
  drawShape(pen, origin, colour, radius) {
    const middle = pen.canvas.width / 2;
    pen.fillStyle = pen.strokeStyle = colour;
    pen.beginPath();
    if (origin === SYNTHETIC) {
      const reach = radius * 1.3;
      pen.moveTo(middle, middle - reach);
      pen.lineTo(middle + reach, middle);
      pen.lineTo(middle, middle + reach);
      pen.lineTo(middle - reach, middle);
      pen.closePath();
      pen.fill();
      pen.lineWidth = 0.75 * this.dpr;
      pen.strokeStyle = this.token("--sa-surface");
      pen.stroke();
    } else if (origin === TEST) {
      pen.lineWidth = Math.max(1, radius * 0.42);
      pen.arc(middle, middle, radius - pen.lineWidth / 2 + 0.3 * this.dpr, 0, 7);
      pen.stroke();
    } else {
      pen.arc(middle, middle, radius * 0.92, 0, 7);
      pen.fill();
    }
  }

  /**
   * @param {PlotModel} model
   * @param {ArrayLike<number>} xy
   * @param {Overlay} overlay
   */
  paintOverlay(model, xy, { path, rings, cross, plane }) {
    const { top, camera } = this;
    top.setTransform(this.dpr, 0, 0, this.dpr, 0, 0);
    top.clearRect(0, 0, camera.width, camera.height);
    plane?.draw(top, (name) => this.token(name));
    if (path && path.length > 1) this.drawLoop(path);
    if (cross) this.drawCross(cross);
    for (const i of rings) {
      if (i < 0 || i >= model.n) continue;
      top.beginPath();
      top.arc(...camera.toScreen(xy[2 * i], xy[2 * i + 1]), camera.radius(model.n) + 5, 0, 7);
      top.strokeStyle = this.token("--sa-ink");
      top.lineWidth = 2;
      top.stroke();
    }
  }

  /** @param {[number, number]} at */
  drawCross([x, y]) {
    const { top } = this;
    top.beginPath();
    for (const [dx, dy] of CROSS) {
      top.moveTo(x + dx * 4, y + dy * 4);
      top.lineTo(x + dx * 14, y + dy * 14);
    }
    top.strokeStyle = this.token("--sa-accent");
    top.lineWidth = 2;
    top.stroke();
  }

  /** @param {[number, number][]} path */
  drawLoop(path) {
    const { top } = this;
    top.beginPath();
    for (const [x, y] of path) top.lineTo(x, y);
    top.closePath();
    top.fillStyle = top.strokeStyle = this.token("--sa-accent");
    top.globalAlpha = 0.1;
    top.fill();
    top.globalAlpha = 1;
    top.lineWidth = 1.5;
    top.setLineDash([5, 4]);
    top.stroke();
    top.setLineDash([]);
  }
}

/**
 * Which points stand out; null where none do.
 * @param {PlotModel} model
 * @param {number} spotlight
 * @returns {((i: number) => unknown) | null}
 */
function litBy(model, spotlight) {
  const { selected, category } = model;
  if (model.selectedCount) return (i) => selected[i];
  return spotlight >= 0 ? (i) => category[i] === spotlight : null;
}
