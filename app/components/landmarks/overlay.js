// @ts-check
// The landmarks as they lie on the picture: crosses, circles, lines and arcs over the viewer's canvas. A cross is
// dragged by its middle, a circle's radius by its outline; everywhere else the pointer moves the picture.

import { applied, inverse } from "../viewer/placement.js";

/** @typedef {import("./geometry.js").Angle} Angle */
/** @typedef {import("./geometry.js").Landmark} Landmark */
/** @typedef {import("./geometry.js").Places} Places */
/** @typedef {import("./geometry.js").Scheme} Scheme */
/** @typedef {import("../viewer/viewer.js").Viewer} Viewer */
/** @typedef {{ x: number, y: number }} Point */
/**
 * @typedef {object} Moves
 * @property {() => void} begin
 * @property {(name: string, x: number, y: number) => void} move in pixels of the image
 * @property {(name: string, radius: number) => void} resize
 * @property {() => void} end
 */

const SVG = "http://www.w3.org/2000/svg";
const CROSS = "M-9 0H-3M3 0H9M0 -9V-3M0 3V9";
const ARC = 30; // px: the radius of an angle's arc
const NUMBER_BEYOND = 20; // px: its number stands so far outside the arc, or the circle around it

export class Overlay {
  /**
   * @param {Viewer} viewer
   * @param {Scheme} scheme
   * @param {Moves} moves
   */
  constructor(viewer, scheme, moves) {
    this.viewer = viewer;
    this.scheme = scheme;
    this.moves = moves;
    this.root = element("svg", { class: "lm-overlay", role: "group", "aria-label": scheme.title });
    /** @type {Map<string, SVGElement>} */
    this.marks = new Map();
    this.lines = scheme.lines.map(() => element("line", { class: "lm-line" }));
    this.arcs = scheme.angles.map((angle) => this.makeArc(angle));
    this.root.append(...this.lines, ...this.arcs.flatMap(({ parts }) => parts));
    for (const landmark of [...scheme.circles, ...scheme.points]) this.addMark(landmark);
    // Only the handles take the pointer; the wheel over one of them zooms as everywhere.
    this.root.addEventListener("wheel", (event) => this.passOn(event), { passive: false });
    this.root.addEventListener("contextmenu", (event) => event.preventDefault());
    /** @type {Places} */
    this.places = {};
    this.imageWidth = 1;
    viewer.overlay = this.root;
    viewer.painted = () => this.draw();
  }

  /** @param {WheelEvent} event */
  passOn(event) {
    event.preventDefault();
    this.viewer.canvas.dispatchEvent(new WheelEvent("wheel", event));
  }

  /** @param {Angle} angle */
  makeArc({ at, side }) {
    const of = `lm-${side ?? "none"}`;
    const arms = at ? [element("line", { class: `lm-arm ${of}` }), element("line", { class: `lm-arm ${of}` })] : [];
    const arc = element("path", { class: `lm-arc ${of}` });
    const number = element("text", { class: `lm-number ${of}` });
    return { arms, arc, number, parts: at ? [...arms, arc, number] : [] };
  }

  /** @param {Landmark} landmark */
  addMark({ name, title, side, mean }) {
    const mark = element("g", { class: `lm-mark lm-${side ?? "none"}`, tabindex: "0", role: "button" });
    mark.dataset.name = name;
    const tip = element("title");
    tip.textContent = title;
    const outline = mean.length === 3 ? [element("circle", { class: "lm-rim" }), this.edge(name)] : [];
    const hit = element("circle", { class: "lm-hit" });
    this.drag(hit, mark, (grip, point) => this.moves.move(name, point.x + grip.x, point.y + grip.y), name);
    const cross = element("g", { class: "lm-cross" });
    cross.append(element("path", { d: CROSS, class: "lm-halo" }), element("path", { d: CROSS }), hit);
    mark.append(tip, ...outline, cross);
    this.marks.set(name, mark);
    this.root.append(mark);
  }

  /** The outline of a circle, to take hold of its radius. @param {string} name */
  edge(name) {
    const edge = element("circle", { class: "lm-edge" });
    let grip = 0;
    const distance = (/** @type {Point} */ point) =>
      Math.hypot(point.x - this.places[name][0], point.y - this.places[name][1]);
    const down = (/** @type {Point} */ point) => {
      grip = this.places[name][2] - distance(point);
    };
    this.listen(
      edge,
      () => this.marks.get(name),
      down,
      (point) => this.moves.resize(name, distance(point) + grip),
    );
    return edge;
  }

  /**
   * @param {SVGElement} handle
   * @param {SVGElement} mark
   * @param {(grip: Point, point: Point) => void} to `grip`: from the pointer to the landmark when it was taken hold of
   * @param {string} name
   */
  drag(handle, mark, to, name) {
    let grip = { x: 0, y: 0 };
    const down = (/** @type {Point} */ point) => {
      const [x, y] = this.places[name];
      grip = { x: x - point.x, y: y - point.y };
    };
    this.listen(
      handle,
      () => mark,
      down,
      (point) => to(grip, point),
    );
  }

  /**
   * @param {SVGElement} handle
   * @param {() => SVGElement | undefined} mark
   * @param {(point: Point) => void} down
   * @param {(point: Point) => void} moved
   */
  listen(handle, mark, down, moved) {
    handle.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      mark()?.focus({ preventScroll: true });
      handle.setPointerCapture(event.pointerId);
      down(this.inImage(event));
      this.moves.begin();
    });
    handle.addEventListener("pointermove", (event) => {
      const { left, top } = this.root.getBoundingClientRect();
      this.viewer.hover({ x: event.clientX - left, y: event.clientY - top }); // the magnifier goes along
      if (handle.hasPointerCapture(event.pointerId)) moved(this.inImage(event));
    });
    handle.addEventListener("lostpointercapture", () => this.moves.end());
  }

  /** Image pixels -> stage pixels. @returns {import("../viewer/placement.js").Matrix} */
  get toStage() {
    const [a, b, c, d, e, f] = this.viewer.toStage;
    const ratio = this.viewer.size.width / this.imageWidth; // a review copy is larger than its image
    return [a * ratio, b * ratio, c * ratio, d * ratio, e, f];
  }

  /** Where a pointer is, in pixels of the image. @param {PointerEvent} event @returns {Point} */
  inImage(event) {
    const { left, top } = this.root.getBoundingClientRect();
    const [x, y] = applied(inverse(this.toStage), event.clientX - left, event.clientY - top);
    return { x, y };
  }

  /** A step on the screen, as a step of as many pixels of the image. @param {number} dx @param {number} dy @returns {[number, number]} */
  stepInImage(dx, dy) {
    const [a, b, c, d] = inverse(this.toStage);
    const scale = Math.hypot(a, b);
    return [(a * dx + c * dy) / scale, (b * dx + d * dy) / scale];
  }

  /** The landmark that has the focus. */
  get chosen() {
    const focused = document.activeElement;
    return focused instanceof SVGElement && this.root.contains(focused) ? (focused.dataset.name ?? null) : null;
  }

  /**
   * @param {Places} places
   * @param {Record<string, number>} angles
   * @param {number} imageWidth
   */
  show(places, angles, imageWidth) {
    this.places = places;
    this.angles = angles;
    this.imageWidth = imageWidth;
    this.draw();
  }

  draw() {
    if (!Object.keys(this.places).length) return;
    const toStage = this.toStage;
    const scale = Math.hypot(toStage[0], toStage[1]);
    /** @type {Map<string, Point>} */
    const at = new Map();
    for (const [name, [x, y]] of Object.entries(this.places)) {
      const [left, top] = applied(toStage, x, y);
      at.set(name, { x: left, y: top });
    }
    for (const [name, mark] of this.marks) this.drawMark(name, mark, /** @type {Point} */ (at.get(name)), scale);
    for (const [index, { start, end }] of this.scheme.lines.entries())
      join(this.lines[index], at.get(start), at.get(end));
    for (const [index, angle] of this.scheme.angles.entries()) this.drawArc(angle, this.arcs[index], at, scale);
  }

  /**
   * @param {string} name
   * @param {SVGElement} mark
   * @param {Point} point
   * @param {number} scale
   */
  drawMark(name, mark, { x, y }, scale) {
    const [px, py, radius] = this.places[name];
    mark.setAttribute("transform", `translate(${x} ${y})`);
    for (const ring of mark.querySelectorAll(".lm-rim, .lm-edge")) ring.setAttribute("r", String(radius * scale));
    const title = mark.querySelector("title")?.textContent;
    const size = radius === undefined ? "" : `, radius ${Math.round(radius)}`;
    mark.setAttribute("aria-label", `${title}: ${Math.round(px)}, ${Math.round(py)}${size}`);
  }

  /**
   * @param {Angle} angle
   * @param {ReturnType<Overlay["makeArc"]>} parts
   * @param {Map<string, Point>} at
   * @param {number} scale
   */
  drawArc(angle, { arms, arc, number }, at, scale) {
    if (!angle.at || !angle.between) return;
    const vertex = /** @type {Point} */ (at.get(angle.at));
    const ends = angle.between.map((name) => /** @type {Point} */ (at.get(name)));
    for (const [index, arm] of arms.entries()) join(arm, vertex, ends[index]);
    const degrees = this.angles?.[angle.name];
    const known = degrees !== undefined && Number.isFinite(degrees);
    number.textContent = known ? `${degrees.toFixed(1)}°` : "";
    if (!known) return arc.setAttribute("d", "");
    const [from, to] = ends.map((end) => Math.atan2(end.y - vertex.y, end.x - vertex.x));
    const turn = Math.atan2(Math.sin(to - from), Math.cos(to - from));
    const [a, b, middle] = [from, to, from + turn / 2].map((way) => ({ x: Math.cos(way), y: Math.sin(way) }));
    const sweep = turn > 0 ? 1 : 0;
    const start = `${vertex.x + ARC * a.x} ${vertex.y + ARC * a.y}`;
    arc.setAttribute("d", `M${start}A${ARC} ${ARC} 0 0 ${sweep} ${vertex.x + ARC * b.x} ${vertex.y + ARC * b.y}`);
    const away = NUMBER_BEYOND + Math.max(ARC, (this.places[angle.at][2] ?? 0) * scale);
    number.setAttribute("x", String(vertex.x + away * middle.x));
    number.setAttribute("y", String(vertex.y + away * middle.y));
    return undefined;
  }
}

/** @param {SVGElement} line @param {Point | undefined} from @param {Point | undefined} to */
function join(line, from, to) {
  if (!from || !to) return;
  for (const [name, value] of Object.entries({ x1: from.x, y1: from.y, x2: to.x, y2: to.y }))
    line.setAttribute(name, String(value));
}

/**
 * @param {string} tag
 * @param {Record<string, string>} [attributes]
 * @returns {SVGElement}
 */
export function element(tag, attributes = {}) {
  const node = /** @type {SVGElement} */ (document.createElementNS(SVG, tag));
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}
