// @ts-check
// Landmarks on the label desk: what is shown of the present image, what keys and pointer do to it, and the answer.
// In a workspace that uses no scheme nothing of this is seen.

import { getJson } from "../../static/lib/api.js";
import { find, make } from "../../static/lib/dom.js";
import { Correction } from "../correction/correction.js";
import { classByAngles, measure, sidesLookSwapped } from "./geometry.js";
import { isLocked } from "./lock.js";
import { LandmarkModel } from "./model.js";
import { Overlay } from "./overlay.js";
import { Setup } from "./setup.js";
import { Shape } from "./shape.js";
import { degreesWords, HELP, hintWords, originWords, reasonWords, shortOriginWords } from "./words.js";

/** @typedef {import("./geometry.js").Scheme} Scheme */
/** @typedef {import("../../static/lib/types.js").Item} Item */
/** @typedef {import("../../static/lib/types.js").PlacedLandmarks} PlacedLandmarks */
/** @typedef {import("../label_desk/words.js").ClassProps} ClassProps */
/** @typedef {import("../viewer/viewer.js").Viewer} Viewer */

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
/** @type {Record<string, number>} */
const RADIUS = { "[": -1, "]": 1, "{": -10, "}": 10 };
const FAR = 10;

export class Landmarks {
  /**
   * @param {HTMLElement} desk
   * @param {Viewer} viewer
   * @param {ClassProps[]} classes
   * @param {{ reviewer: boolean, goTo: (imageId: number) => void, changed: () => void, corrected: (imageId: number) => void }} host `changed`: others are proposed
   */
  constructor(desk, viewer, classes, host) {
    this.desk = desk;
    this.viewer = viewer;
    this.classes = classes;
    this.panel = find(desk, "[data-landmarks]", HTMLElement);
    this.isLoaded = false;
    /** @type {Scheme | null} */
    this.scheme = null;
    this.revision = "";
    /** @type {Overlay | null} */
    this.overlay = null;
    /** @type {Item | null} */
    this.item = null;
    /** @type {Shape | null} */
    this.shape = null;
    /** What was moved on this page, by image. @type {Map<number, Shape>} */
    this.shapes = new Map();
    this.host = host;
    this.setup = new Setup(desk, classes, host.changed);
    this.model = new LandmarkModel(desk, { goTo: host.goTo, trained: host.changed });
    this.correction = new Correction(desk, "landmarks", "/data/landmarks/correction", () => this.corrected());
    find(this.panel, "[data-lm-correct]", HTMLButtonElement).addEventListener("click", () => this.correct());
    find(this.panel, "[data-lm-reset]", HTMLButtonElement).addEventListener("click", () => this.reset());
    find(this.panel, "[data-lm-hide]", HTMLButtonElement).addEventListener("click", () => this.hide());
  }

  /** Ask once which scheme the workspace uses. Throws ApiError. */
  async load() {
    if (this.isLoaded) return;
    const { scheme, revision, shipped } = await getJson("/data/landmarks");
    this.isLoaded = true;
    this.setup.offer(shipped, scheme);
    if (!scheme) return;
    this.scheme = scheme;
    this.revision = revision;
    this.overlay = new Overlay(this.viewer, scheme, {
      begin: () => this.shape?.begin(),
      move: (name, x, y) => this.change((shape) => shape.move(name, x, y)),
      resize: (name, radius) => this.change((shape) => shape.resize(name, radius)),
      end: () => this.shape?.end(),
    });
    this.makePanel(scheme);
    if (this.host.reviewer) this.model.begin(scheme);
  }

  /** @param {Scheme} scheme */
  makePanel(scheme) {
    this.desk.classList.add("with-landmarks");
    this.panel.hidden = false;
    this.part("title").textContent = scheme.title;
    const sided = scheme.angles.some(({ side }) => side !== null);
    this.part("sides").textContent = sided ? `sides of the ${scheme.sides}` : "";
    this.part("angles").replaceChildren(
      ...scheme.angles.map(({ name, title, side }) => {
        const degrees = make("b");
        degrees.dataset.angle = name;
        return make("div", `lm-angle lm-${side ?? "none"}`, make("span", "", title), degrees);
      }),
    );
    const keys = HELP.map(([key, what]) => make("div", "", make("dt", "", key), make("dd", "", what)));
    find(this.desk, "[data-keys]", HTMLElement).append(...keys);
  }

  /** @param {string} name */
  part(name) {
    return find(this.panel, `[data-lm-${name}]`, HTMLElement);
  }

  /** The image that is looked at now; none while it is on its way. @param {Item | undefined} item */
  show(item) {
    if (item && item === this.item && this.shape) return;
    this.item = item ?? null;
    this.shape = null;
    if (!this.scheme || !item?.landmarks) return;
    const kept = this.shapes.get(item.image_id);
    this.shape = kept ?? new Shape(item.landmarks, item);
    this.draw();
  }

  draw() {
    const { scheme, shape, item, overlay } = this;
    if (!scheme || !shape || !item || !overlay) return;
    const angles = measure(scheme, shape.places);
    overlay.show(shape.places, angles, item.width);
    for (const { name } of scheme.angles)
      find(this.panel, `[data-angle="${name}"]`, HTMLElement).textContent = shape.isMeant
        ? degreesWords(angles[name])
        : "–";
    const swapped = sidesLookSwapped(scheme, shape.places);
    Object.assign(this.part("origin"), { textContent: shortOriginWords(shape), title: originWords(shape) });
    const locked = isLocked(item);
    this.part("hint").textContent = hintWords(shape, swapped, locked);
    this.part("hint").classList.toggle("warn", swapped || !shape.isMeant);
    this.part("correct").hidden = !(locked && shape.touched);
    const index = shape.isMeant ? this.classIndex : null;
    const accept = find(this.panel, ".ld-accept", HTMLButtonElement);
    accept.disabled = locked || !shape.isMeant;
    accept.style.setProperty("--swatch", index === null ? "transparent" : this.classes[index].color);
    const waiting = shape.isMeant ? "Save landmarks" : "Not placed yet";
    this.part("class").textContent = index === null ? waiting : this.classes[index].name;
    this.part("why").textContent = index === null ? "" : reasonWords(scheme, angles);
  }

  /** The class that the angles make; null where they make none. */
  get classIndex() {
    const { scheme, shape } = this;
    const name = scheme && shape ? classByAngles(scheme, measure(scheme, shape.places)) : null;
    const index = this.classes.findIndex((each) => each.name === name);
    return index < 0 ? null : index;
  }

  /** @param {(shape: Shape) => void} how */
  change(how) {
    if (!this.shape || !this.item) return;
    how(this.shape);
    this.shapes.set(this.item.image_id, this.shape);
    this.draw();
  }

  reset() {
    this.change((shape) => shape.reset());
  }

  hide() {
    const hidden = this.desk.classList.toggle("landmarks-hidden");
    find(this.panel, "[data-lm-hide]", HTMLButtonElement).setAttribute("aria-pressed", String(hidden));
  }

  /** Ask why, then save it in spite of the lock. */
  correct() {
    if (this.item && this.shape) this.correction.open({ image_id: this.item.image_id, points: this.shape.places });
  }

  corrected() {
    const { item } = this;
    if (!item) return;
    this.shapes.delete(item.image_id);
    this.item = null;
    this.host.corrected(item.image_id);
  }

  // ---------------------------------------------------------------- the answer

  /** Why Enter cannot save them; "" where it can. */
  get obstacle() {
    const { scheme, shape } = this;
    if (!scheme || !shape) return "";
    if (isLocked(this.item) || !shape.isMeant) return hintWords(shape, false, isLocked(this.item));
    const lost = Object.values(measure(scheme, shape.places)).some((degrees) => !Number.isFinite(degrees));
    return lost ? "Landmarks lie on one another: move one of them." : "";
  }

  /**
   * The class that Enter says: what the angles make, else the label there is, else what is suggested.
   * @param {number | null} suggested
   * @param {import("../../static/lib/types.js").Label | null} label
   */
  classFor(suggested, label) {
    const only = this.shape && this.classes.length === 1 ? 0 : null;
    return this.classIndex ?? (this.shape ? label?.class_index : null) ?? suggested ?? only;
  }

  /**
   * Landmarks that a person moved are the person's own word, whichever key says them.
   * @param {"human" | "accepted"} source
   */
  sourceOf(source) {
    return this.shape?.touched ? "human" : source;
  }

  /**
   * The model whose proposal the person saw: of the landmarks, where there is one, else of the class.
   * @param {Item | undefined} item
   */
  modelOf(item) {
    return this.shape?.proposal.model_id ?? item?.model_id ?? null;
  }

  /**
   * The landmarks that go with a class; null without any. Another class than the angles make takes along only what a
   * person placed.
   * @param {boolean} accepted whether the person takes over what is shown
   * @returns {PlacedLandmarks | null}
   */
  answer(accepted) {
    const { scheme, shape, item } = this;
    if (!scheme || !shape || !item || this.obstacle || !(accepted || shape.touched || shape.saved)) return null;
    shape.keep();
    this.shapes.set(item.image_id, shape);
    this.model.answered();
    return { scheme: scheme.name, revision: this.revision, points: shape.places };
  }

  // ---------------------------------------------------------------- keys

  /**
   * Whether a key was for the landmarks.
   * @param {KeyboardEvent} event
   */
  onKey(event) {
    if (!this.shape || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return false;
    const { key } = event;
    if (key === ";") return this.onHide(event);
    const chosen = this.overlay?.chosen;
    if (!chosen) return false;
    if (key === "Escape") return this.leave();
    if (key in ARROWS) return this.nudge(chosen, event);
    return key in RADIUS && this.widen(chosen, event);
  }

  /** @param {KeyboardEvent} event */
  onHide({ repeat }) {
    if (!repeat) this.hide();
    return true;
  }

  /** Take back the last move; false where there is none left on this image. */
  undo() {
    return this.drawIf(this.shape?.undo());
  }

  /** Repeat the move that was taken back last; false where there is none on this image. */
  redo() {
    return this.drawIf(this.shape?.redo());
  }

  /** @param {boolean | undefined} changed */
  drawIf(changed = false) {
    if (changed) this.draw();
    return changed;
  }

  leave() {
    if (document.activeElement instanceof SVGElement) document.activeElement.blur();
    return true;
  }

  /** @param {string} name @param {KeyboardEvent} event */
  nudge(name, { key, shiftKey, repeat }) {
    const [dx, dy] = ARROWS[key].map((each) => each * (shiftKey ? FAR : 1));
    const [x, y] = this.overlay?.stepInImage(dx, dy) ?? [0, 0];
    this.step(repeat, (shape) => shape.move(name, shape.places[name][0] + x, shape.places[name][1] + y));
    return true;
  }

  /** @param {string} name @param {KeyboardEvent} event */
  widen(name, { key, repeat }) {
    const radius = this.shape?.places[name][2];
    if (radius !== undefined) this.step(repeat, (shape) => shape.resize(name, radius + RADIUS[key]));
    return true;
  }

  /**
   * A key that is held down is one step to take back.
   * @param {boolean} goesOn
   * @param {(shape: Shape) => void} how
   */
  step(goesOn, how) {
    if (!goesOn) this.shape?.begin();
    this.change(how);
    if (!goesOn) this.shape?.end();
  }
}
