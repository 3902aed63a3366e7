// @ts-check
// What is seen of the desk. It is told what to show, and decides nothing.

import { find, make, makeButton } from "../../static/lib/dom.js";
import { WindowFill } from "../../static/lib/window_fill.js";
import { number, percent } from "../../static/lib/words.js";
import { HELP as VIEWER_HELP, Viewer } from "../viewer/viewer.js";
import {
  disagrees,
  HELP,
  labelWords,
  placeWords,
  readingWords,
  reasonFor,
  sizeWords,
  suggestionOf,
  VALUES,
} from "./words.js";

/** @typedef {import("../../static/lib/types.js").Item} Item */
/** @typedef {import("../../static/lib/types.js").Label} Label */
/** @typedef {import("./outbox_store.js").Operation} Operation */
/** @typedef {import("./queue.js").Picture} Picture */
/** @typedef {import("./words.js").ClassProps} ClassProps */
/** @typedef {{ item: Item, label: Label, op_id: string }} Answer */

export const STRIP = 8;
const PIXELATED_BELOW = 160; // px: smaller images are shown as the squares they are

export class DeskView {
  /**
   * @param {HTMLElement} desk
   * @param {ClassProps[]} classes
   */
  constructor(desk, classes) {
    this.desk = desk;
    this.classes = classes;
    /** The item whose words are shown. @type {Item | null} */
    this.shown = null;
    /** What the strip shows, by operation. @type {Map<string, HTMLElement>} */
    this.tiles = new Map();
    this.part("classes").replaceChildren(...classes.map(classButton));
    this.part("keys").replaceChildren(...[...HELP, ...VIEWER_HELP].map(definition));
    const fill = new WindowFill(this.part("main"), ".sa-inspector, dialog, [data-problem], [data-live]");
    this.viewer = new Viewer(this.part("frame"), this.part("tools"), fill);
  }

  /** @param {string} name */
  part(name) {
    return find(this.desk, `[data-${name}]`, HTMLElement);
  }

  /** The words beside the image. @param {Item} item */
  showItem(item) {
    if (this.shown === item) return;
    this.shown = item;
    this.showContext(item);
    this.part("origin").textContent = item.origin;
    this.part("origin").className = `sa-chip ${item.origin}`;
    this.part("split").textContent = item.split;
    this.part("size").textContent = sizeWords(item);
    this.showSuggestion(item);
  }

  /** What the image was drawn from; where readers differ, what each of them said. @param {Item} item */
  showContext(item) {
    const readings = item.readings ?? [];
    const imported = item.blind ? "Hidden for a blind reading." : "No prompt: this image was imported.";
    const words = readings.length ? "These readers disagree. Your answer settles the conflict." : item.prompt;
    this.part("context").textContent = readings.length ? "Readings" : "Prompt";
    this.part("prompt").textContent = words ?? imported;
    this.part("prompt").classList.toggle("sa-muted", !item.prompt && !readings.length);
    const rows = readings.map(
      (each) => /** @type {[string, string]} */ ([each.annotator, readingWords(each, this.classes)]),
    );
    this.part("slots").replaceChildren(...(readings.length ? rows : Object.entries(item.slots)).map(definition));
    this.part("slots").classList.toggle("readings", readings.length > 0);
  }

  /** @param {Item} item */
  showSuggestion(item) {
    const suggested = suggestionOf(item);
    const accept = find(this.desk, ".ld-accept", HTMLButtonElement);
    accept.disabled = suggested === null;
    accept.style.setProperty("--swatch", suggested === null ? "transparent" : this.classes[suggested].color);
    this.part("suggested").textContent = suggested === null ? "None yet" : this.classes[suggested].name;
    const share = item.predicted_class === null || item.confidence === null ? "" : percent(item.confidence);
    find(accept, ".ld-confidence", HTMLElement).style.visibility = share ? "visible" : "hidden";
    find(accept, ".sa-meter > i", HTMLElement).style.width = share || "0%";
    this.part("confidence").textContent = share;
    this.part("disagree").style.visibility = disagrees(item) ? "visible" : "hidden";
    this.part("why").textContent = reasonFor(item, this.classes);
  }

  /**
   * The present image; never the last one beside the next one's words.
   * @param {number} imageId
   * @param {Picture | undefined} picture
   * @param {Item | undefined} item
   * @param {boolean} smooth
   * @param {boolean} beside another image is shown side by side, so that this one can be zoomed as well
   */
  showPicture(imageId, picture, item, smooth, beside) {
    const frame = this.part("frame");
    const id = String(imageId);
    const { shown, state } = picture ?? { shown: null, state: "loading" };
    if (state === "loading") {
      if (frame.dataset.image !== id) this.showInstead("");
      return;
    }
    frame.dataset.image = id;
    if (!shown || !item) return this.showInstead("This image cannot be read. Press X to reject it.");
    const image = shown.image;
    const small = image && Math.max(image.naturalWidth, image.naturalHeight) < PIXELATED_BELOW;
    const tiny = small && !this.viewer.overlay && !beside;
    find(this.desk, ".ld-stage", HTMLElement).classList.toggle("large", !tiny);
    if (!tiny) return this.viewer.show(shown, item, smooth);
    this.viewer.clear();
    image.classList.toggle("pixelated", !smooth);
    image.alt = `Image ${id}`;
    if (frame.firstChild !== image) frame.replaceChildren(image);
  }

  /** @param {string} text */
  showInstead(text) {
    this.viewer.clear();
    this.part("frame").replaceChildren(text);
  }

  /** The answer so far. @param {Label | null} label */
  showAnswer(label) {
    const none = this.shown?.readings?.length ? "not settled yet" : "not labeled yet";
    this.part("current").textContent = label ? labelWords(label, this.classes) : none;
    for (const [index, button] of [...this.part("classes").children].entries()) {
      button.setAttribute("aria-pressed", String(label?.value === "class" && label.class_index === index));
    }
    for (const value of Object.keys(VALUES)) {
      const button = find(this.desk, `[data-do="${value}"]`, HTMLElement);
      button.setAttribute("aria-pressed", String(label?.value === value));
    }
  }

  /**
   * @param {{ done: number, total: number, word: string }} progress
   * @param {{ at: number, length: number, rate: string }} queue
   */
  showPlace({ done: counted, total, word }, { at, length, rate }) {
    const done = Math.max(0, Math.min(total, counted));
    const share = total ? (100 * done) / total : 0;
    find(this.part("meter"), "i", HTMLElement).style.width = `${share}%`;
    this.part("meter").setAttribute("aria-valuenow", String(Math.round(share)));
    this.part("reviewed").textContent = `${number(done)} of ${number(total)} ${word}`;
    this.part("place").textContent = length ? placeWords(at, length) : "";
    this.part("rate").textContent = rate;
  }

  /**
   * @param {{ state: string, words: string }} standing
   * @param {number} waiting
   */
  showSaved({ state, words }, waiting) {
    const chip = this.part("saved");
    chip.dataset.state = state;
    chip.dataset.count = String(waiting);
    find(chip, "b", HTMLElement).textContent = words;
  }

  /**
   * The latest answers, newest first.
   * @param {Answer[]} answers oldest first
   * @param {(imageId: number) => void} goTo
   */
  showStrip(answers, goTo) {
    const hint = "Your latest answers appear here. Click one to go back to it.";
    const tiles = answers.map((answer) => this.tiles.get(answer.op_id) ?? this.stripTile(answer, goTo));
    this.tiles = new Map(answers.map(({ op_id }, index) => [op_id, tiles[index]]));
    const blanks = Array.from({ length: STRIP - tiles.length }, () => make("li"));
    this.part("strip").replaceChildren(
      ...(tiles.length ? [...tiles.reverse(), ...blanks] : [make("li", "hint", hint)]),
    );
  }

  /**
   * @param {Answer} answer
   * @param {(imageId: number) => void} goTo
   */
  stripTile({ item, label }, goTo) {
    const words = make("span", label.value, labelWords(label, this.classes));
    const button = makeButton("", "", () => goTo(item.image_id));
    button.title = "Go back to this image";
    button.append(smallImage(item.sha256), words);
    const look = makeButton("look", "i");
    look.dataset.saImage = String(item.image_id);
    look.dataset.needs = "reviewer"; // the inspector is not for annotators
    look.title = "Open this image with all that is known of it";
    look.setAttribute("aria-label", `Open image ${item.image_id}`);
    return make("li", "", button, look);
  }

  /**
   * Answers that the app refuses, each with its image and the reason.
   * @param {Operation[]} refused
   * @param {(operation: Operation) => void} goTo
   * @param {(operation: Operation) => void} dismiss
   */
  showRefused(refused, goTo, dismiss) {
    if (refused.length) this.viewer.setFill(false);
    this.part("refused").hidden = !refused.length;
    this.part("refusals").replaceChildren(
      ...refused.map((operation) =>
        make(
          "li",
          "",
          smallImage(operation.sha256),
          make("b", "", operation.words),
          make("span", "", `Image ${operation.image_id}: ${operation.refused}`),
          makeButton("sa-button small", "Show image", () => goTo(operation)),
          makeButton("sa-button small", "Discard answer", () => dismiss(operation)),
        ),
      ),
    );
  }

  /**
   * Whether the queue has an end here, and why.
   * @param {boolean} empty
   * @param {{ title: string, hint: string }} words
   */
  showEmpty(empty, { title, hint }) {
    if (empty) this.viewer.setFill(false);
    this.part("empty").hidden = !empty;
    this.part("main").hidden = empty;
    this.part("empty-title").textContent = title;
    this.part("empty-hint").textContent = hint;
  }

  /** @param {string} text "" for none */
  showProblem(text) {
    this.part("problem").textContent = text;
    this.part("problem").hidden = !text;
  }

  /** Say it to a screen reader. @param {string} text */
  announce(text) {
    this.part("live").textContent = text;
  }
}

/** @param {[string, string]} pair */
function definition([term, description]) {
  return make("div", "", make("dt", "", term), make("dd", "", description));
}

/** @param {string} sha256 */
function smallImage(sha256) {
  const image = make("img");
  image.src = `/media/${sha256}.webp?size=64`;
  image.alt = "";
  image.decoding = "async"; // the image to look at does not wait for it
  return image;
}

/**
 * @param {ClassProps} each
 * @param {number} index
 */
function classButton({ name, key, color }, index) {
  const button = makeButton("ld-class");
  const kbd = make("kbd", "sa-kbd", key.toUpperCase());
  kbd.hidden = !key;
  button.dataset.class = String(index);
  button.style.setProperty("--swatch", color);
  button.title = name;
  button.append(make("i", "sa-swatch"), make("span", "", name), kbd);
  return button;
}
