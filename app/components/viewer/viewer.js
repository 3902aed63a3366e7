// @ts-check
// The viewer: one picture on black, its placement and its window, and what keys, pointer and tools do to them.

import { make } from "../../static/lib/dom.js";
import { CanvasPainter } from "./canvas_painter.js";
import { GlPainter } from "./gl_painter.js";
import { dragged, lookupTable, plainDisplay, presets } from "./levels.js";
import { fitted, inverse, matrixOf, panned, turned, zoomed } from "./placement.js";
import { PointerInput } from "./pointer.js";
import { NO_TOOLBAR, Toolbar } from "./toolbar.js";
import { remember, remembered } from "./window_memory.js";

/** @typedef {import("../../static/lib/types.js").Item} Item */
/** @typedef {import("./film.js").Film} Film */
/** @typedef {import("./levels.js").Window} Window */
/** @typedef {import("./placement.js").Placement} Placement */
/** @typedef {import("./toolbar.js").Tool} Tool */
/** @typedef {{ film: Film, image?: undefined } | { image: HTMLImageElement, film?: undefined }} Picture */
/**
 * What a painter paints; lengths in device pixels.
 * @typedef {object} Scene
 * @property {Picture} picture
 * @property {Uint8Array} table
 * @property {boolean} plain whether the table changes nothing
 * @property {import("./placement.js").Matrix} toPicture from the stage
 * @property {number} scale device pixels a picture pixel
 * @property {boolean} smooth
 * @property {{ x: number, y: number, radius: number, enlargement: number } | null} lens
 */

const STEP = 1.25; // zoom of a key or a button
const PAN_STEP = 60;
const DRAG_FOR_ALL = 500; // px of a drag that cross all that a film holds
const PIXELS_FROM = 4; // device px a picture pixel, from which on the squares are shown
const LENS_RADIUS = 110;
const LENS_ENLARGEMENT = 2.5;

/** @type {Record<string, Tool>} */
const KEYS = {
  "+": "in",
  "=": "in",
  "-": "out",
  ",": "fit",
  ".": "actual",
  "*": "invert",
  "#": "magnify",
  "/": "beside",
  "%": "fill",
};
/** @type {Record<string, Tool>} */
const SHIFTED = { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "in", ArrowDown: "out" };

/** @type {[string, string][]} */
export const HELP = [
  ["Wheel, +, -", "Zoom"],
  ["Drag, Alt+arrows", "Move the picture"],
  [",   .", "Fit; one picture pixel a screen pixel"],
  ["Shift+← →", "Turn the picture"],
  ["Right drag", "Window (sideways) and level (up and down)"],
  ["*", "Invert"],
  ["#", "Magnifier"],
  ["/", "Another image side by side: prior, neighbour, source, or a number"],
  ["%", "Picture and panel over the whole window; Esc leaves"],
];

export class Viewer {
  /**
   * @param {HTMLElement} frame that the picture fills
   * @param {HTMLElement | null} toolbar null: it follows another viewer
   * @param {import("../../static/lib/window_fill.js").WindowFill | null} fill
   */
  constructor(frame, toolbar, fill = null) {
    this.frame = frame;
    this.fill = fill;
    this.flat = make("canvas", "vw-canvas");
    this.deep = make("canvas", "vw-canvas");
    this.flatPainter = new CanvasPainter(this.flat);
    this.deepPainter = GlPainter.on(this.deep);
    /** @type {Picture | null} */
    this.picture = null;
    /** Whose window it is. @type {Item | null} */
    this.item = null;
    this.display = plainDisplay();
    /** @type {Window} */
    this.held = this.display.windows[0];
    /** Null: the default of the file. @type {Window | null} */
    this.window = null;
    this.inverted = false;
    this.smooth = true;
    this.magnifying = false;
    /** @type {import("./pointer.js").Point | null} */
    this.pointer = null;
    this.table = lookupTable(this.display, null);
    this.isTableOld = false;
    /** @type {Placement} */
    this.placement = { scale: 1, turns: 0, x: 0, y: 0 };
    this.isFitted = true;
    this.due = 0;
    /** What lies over the picture; with it, small pictures are shown here as well. @type {Element | null} */
    this.overlay = null;
    /** Called after each painting. @type {() => void} */
    this.painted = () => {};
    /** Called when a person moved the picture or its window. @type {() => void} */
    this.handled = () => {};
    /** Opens another image beside this one, and closes it. @type {() => void} */
    this.beside = () => {};
    const said = {
      tool: (/** @type {Tool} */ tool) => this.use(tool),
      preset: (/** @type {import("./levels.js").Preset} */ { window }) => this.setWindow(window),
      numbers: (/** @type {number} */ center, /** @type {number} */ width) => this.setNumbers(center, width),
    };
    this.toolbar = toolbar ? new Toolbar(toolbar, said) : NO_TOOLBAR;
    for (const canvas of [this.flat, this.deep]) this.listen(canvas);
    /** CSS pixels of the frame when it was last laid out; to ask anew would lay the page out at every key. */
    this.stage = { width: 1, height: 1 };
    new ResizeObserver(() => this.measure()).observe(frame);
  }

  /** @param {HTMLCanvasElement} canvas */
  listen(canvas) {
    new PointerInput(canvas, {
      zoom: (point, factor) => this.zoom(point, factor),
      pan: (dx, dy) => this.pan(dx, dy),
      level: (dx, dy) => this.level(dx, dy),
      leveled: () => this.keepWindow(),
      hover: (point) => this.hover(point),
      fit: () => this.use("fit"),
    });
    canvas.setAttribute("role", "img");
  }

  /** What the magnifier enlarges. @param {import("./pointer.js").Point | null} point on the stage; null: nothing */
  hover(point) {
    this.pointer = point;
    if (this.magnifying) this.paintSoon();
  }

  // ---------------------------------------------------------------- what is shown

  /**
   * Show a picture, fitted and through the window that its series, or films of its kind, were last looked at with.
   * @param {Picture} picture
   * @param {Item} item
   * @param {boolean} smooth
   */
  show(picture, item, smooth) {
    this.smooth = smooth;
    const isNew = this.picture !== picture;
    if (isNew) this.begin(picture, item);
    const canvas = this.canvas;
    if (this.frame.firstChild !== canvas) this.frame.replaceChildren(canvas, ...(this.overlay ? [this.overlay] : []));
    canvas.setAttribute("aria-label", `Image ${item.image_id}`);
    this.resize();
    if (isNew) this.handled(); // what lies beside it is shown alike
  }

  /** Nothing is shown: keys and tools have nothing to do. */
  clear() {
    this.picture = null;
  }

  /**
   * @param {Picture} picture
   * @param {Item} item
   */
  begin(picture, item) {
    this.picture = picture;
    this.item = item;
    this.display = picture.film?.display ?? plainDisplay();
    this.held = picture.film?.held ?? this.display.windows[0];
    this.window = remembered(item);
    this.inverted = false;
    this.placement = { ...this.placement, turns: 0 };
    this.isFitted = true;
    this.toolbar.offer(presets(this.display, this.held));
    this.newTable();
  }

  /** Films on the GPU where there is one. */
  get painter() {
    const film = this.picture?.film;
    return film && this.deepPainter?.takes(film) ? this.deepPainter : this.flatPainter;
  }

  get canvas() {
    return this.painter.canvas;
  }

  get size() {
    const { film, image } = this.picture ?? {};
    return film ?? { width: image?.naturalWidth ?? 1, height: image?.naturalHeight ?? 1 };
  }

  /** Picture pixels -> CSS pixels of the stage. */
  get toStage() {
    return matrixOf(this.placement, this.size, this.stage);
  }

  /** The frame may have another size now. */
  measure() {
    const [width, height] = [Math.max(1, this.frame.clientWidth), Math.max(1, this.frame.clientHeight)];
    if (width === this.stage.width && height === this.stage.height) return;
    this.stage = { width, height };
    this.resize();
  }

  resize() {
    if (!this.picture) return;
    const { width, height } = this.stage;
    const [w, h] = [Math.round(width * devicePixelRatio), Math.round(height * devicePixelRatio)];
    if (this.canvas.width !== w || this.canvas.height !== h) Object.assign(this.canvas, { width: w, height: h });
    if (this.isFitted) this.placement = fitted(this.size, this.stage, this.placement.turns);
    this.paint();
  }

  paintSoon() {
    this.due ||= requestAnimationFrame(() => this.paint());
  }

  paint() {
    cancelAnimationFrame(this.due);
    this.due = 0;
    const { picture, placement, magnifying, pointer } = this;
    if (!picture) return;
    const plain = picture.image !== undefined && this.window === null && !this.inverted;
    if (this.isTableOld && !plain) {
      this.table = lookupTable(this.display, this.window, this.inverted);
      this.isTableOld = false;
    }
    const { table } = this;
    const dpr = devicePixelRatio;
    const scale = placement.scale * dpr;
    const [x, y] = [(pointer?.x ?? 0) * dpr, (pointer?.y ?? 0) * dpr];
    const lens = magnifying && pointer ? { x, y, radius: LENS_RADIUS * dpr, enlargement: LENS_ENLARGEMENT } : null;
    const toPicture = inverse(/** @type {import("./placement.js").Matrix} */ (this.toStage.map((each) => each * dpr)));
    const scene = { picture, table, plain, toPicture, scale, smooth: this.smooth || scale < PIXELS_FROM, lens };
    this.painter.paint(/** @type {any} */ (scene));
    this.toolbar.show({ scale, inverted: this.inverted, magnifying });
    this.painted();
  }

  // ---------------------------------------------------------------- placement

  /**
   * @param {import("./pointer.js").Point} point
   * @param {number} factor
   */
  zoom(point, factor) {
    this.place(zoomed(this.placement, point, factor, this.size, this.stage));
  }

  /**
   * @param {number} dx
   * @param {number} dy
   */
  pan(dx, dy) {
    if (dx || dy) this.place(panned(this.placement, dx, dy, this.size, this.stage));
  }

  /** @param {Placement} placement */
  place(placement) {
    this.placement = placement;
    this.isFitted = false;
    this.paintSoon();
    this.handled();
  }

  // ---------------------------------------------------------------- window and level

  /**
   * @param {number} dx
   * @param {number} dy
   */
  level(dx, dy) {
    const step = this.held.width / DRAG_FOR_ALL;
    this.window = dragged(this.shownWindow, dx, dy, step, this.display.inverted !== this.inverted);
    this.newTable();
    this.handled();
  }

  /** @param {Window | null} window */
  setWindow(window) {
    this.window = window;
    this.keepWindow();
    this.newTable();
    this.handled();
  }

  keepWindow() {
    if (this.item) remember(this.item, this.window);
  }

  /**
   * @param {number} center
   * @param {number} width
   */
  setNumbers(center, width) {
    const sound = Number.isFinite(center) && Number.isFinite(width) && width >= 1;
    this.setWindow(sound ? { center, width, fn: this.shownWindow.fn } : this.window);
  }

  get shownWindow() {
    return this.window ?? this.display.windows[0];
  }

  /** The table is made once a frame, however often the pointer moves. */
  newTable() {
    this.isTableOld = true;
    this.toolbar.showWindow(this.window, this.shownWindow);
    this.paintSoon();
  }

  // ---------------------------------------------------------------- tools and keys

  /** @param {Tool} tool */
  use(tool) {
    const { stage, placement } = this;
    const middle = { x: stage.width / 2, y: stage.height / 2 };
    /** @type {Record<Tool, () => void>} */
    const tools = {
      fit: () => {
        this.isFitted = true;
        this.resize();
      },
      actual: () => this.zoom(this.pointer ?? middle, 1 / (placement.scale * devicePixelRatio)),
      in: () => this.zoom(middle, STEP),
      out: () => this.zoom(middle, 1 / STEP),
      left: () => this.turn(-1),
      right: () => this.turn(1),
      invert: () => {
        this.inverted = !this.inverted;
        this.newTable();
      },
      magnify: () => {
        this.magnifying = !this.magnifying;
        this.paintSoon();
      },
      beside: () => this.beside(),
      fill: () => this.setFill(!this.fill?.on),
    };
    if (!this.takes(tool)) return;
    tools[tool]();
    this.handled();
  }

  /** Small pictures are not drawn here: then there is only the window to fill. @param {Tool} tool */
  takes(tool) {
    return this.picture !== null || tool === "fill";
  }

  /** Whether picture and panel lie over the whole window. @param {boolean} on */
  setFill(on) {
    this.fill?.set(on);
    this.toolbar.press("fill", on);
  }

  /** @param {1 | -1} direction */
  turn(direction) {
    this.placement = turned(this.placement, direction);
    this.resize();
  }

  /**
   * Whether a key was for the viewer.
   * @param {KeyboardEvent} event
   */
  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.isComposing) return false;
    if (event.key === "Escape" && this.fill?.on) {
      this.setFill(false);
      return true;
    }
    if (event.altKey) return this.picture !== null && this.panByKey(event.key);
    const tool = KEYS[event.key] ?? (event.shiftKey ? SHIFTED[event.key] : undefined);
    const isOurs = tool !== undefined && this.takes(tool);
    if (isOurs) this.use(tool);
    return isOurs;
  }

  /** @param {string} key */
  panByKey(key) {
    const way = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[key];
    if (way) this.pan(way[0] * PAN_STEP, way[1] * PAN_STEP);
    return way !== undefined;
  }
}
