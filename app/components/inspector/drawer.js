// @ts-check
// The drawer itself: where it stands in the page, its head with the ways on, and the buttons that label.

import { find, make, makeButton } from "../../static/lib/dom.js";
import { note } from "./parts.js";
import { picture, sections } from "./view.js";

/** @typedef {import("../../static/lib/types.js").Inspection} Inspection */
/** @typedef {import("../../static/lib/types.js").LabelValue} LabelValue */
/** @typedef {import("../../static/lib/types.js").Said} Said */
/** @typedef {import("./walk.js").Walk} Walk */
/**
 * @typedef {object} Listeners
 * @property {() => void} closed
 * @property {(step: number) => void} stepped
 * @property {(said: Said) => void} takenBack
 * @property {(value: LabelValue, index: number | null) => void} labeled
 * @property {(tag: string, tagged: boolean) => void} tagged
 */

export class Drawer {
  /** @param {Listeners} listeners */
  constructor(listeners) {
    this.listeners = listeners;
    /** @type {HTMLElement | null} */
    this.root = null;
    /** What had the focus before. @type {Element | null} */
    this.before = null;
  }

  get isOpen() {
    return this.root?.isConnected === true;
  }

  /** Something was asked for and is not there yet. */
  wait() {
    const root = this.appear();
    root.setAttribute("aria-busy", "true");
  }

  /** @returns {HTMLElement} */
  appear() {
    this.root ??= build(this.listeners);
    if (!this.root.isConnected) {
      this.before = document.activeElement;
      document.body.append(this.root);
      find(this.root, "h2", HTMLElement).focus({ preventScroll: true });
    }
    return this.root;
  }

  hide() {
    this.root?.remove();
    this.root = null;
    if (this.before instanceof HTMLElement) this.before.focus({ preventScroll: true });
  }

  /** @param {string} name */
  part(name) {
    return find(this.appear(), `[data-part="${name}"]`, HTMLElement);
  }

  /** @param {Inspection} found @param {Walk} walk */
  show(found, walk) {
    const root = this.appear();
    const { item } = found;
    root.removeAttribute("aria-busy");
    root.dataset.image = String(item.image_id);
    this.part("title").textContent = `Image ${item.image_id}`;
    const kind = item.origin === "synthetic" ? "synthetic" : `real, ${item.split === "test" ? "test" : "training"}`;
    this.part("origin").textContent = kind;
    this.part("origin").className = `sa-chip ${item.origin}`;
    this.showWalk(walk);
    const link = find(root, '[data-part="link"]', HTMLAnchorElement);
    link.href = `/image/${item.sha256}`;
    this.part("body").replaceChildren(
      picture(found),
      this.labelRow(found),
      ...sections(found, this.listeners.takenBack, this.listeners.tagged),
    );
    this.part("body").scrollTop = 0;
  }

  /** @param {Walk} walk */
  showWalk(walk) {
    this.part("place").textContent = walk.words;
    for (const [name, step] of /** @type {const} */ ([
      ["back", -1],
      ["on", 1],
    ])) {
      this.part(name).toggleAttribute("disabled", walk.at(step) === null);
    }
  }

  /** The buttons that label this image; none where it is locked. @param {Inspection} found */
  labelRow({ item, classes, locked }) {
    const row = make("div", "sa-inspector-label");
    if (locked || item.split === "test") return row;
    const choice = make("select", "sa-select", ...classes.map((name, index) => new Option(name, String(index))));
    choice.setAttribute("aria-label", "Class");
    choice.value = String(item.label_class ?? item.prompted_class ?? item.predicted_class ?? 0);
    const { labeled } = this.listeners;
    row.append(
      choice,
      makeButton("sa-button small", "Label", () => labeled("class", Number(choice.value))),
      makeButton("sa-button small", "Reject", () => labeled("reject", null)),
      makeButton("sa-button small", "Unsure", () => labeled("unsure", null)),
    );
    return row;
  }

  /** The image cannot be shown. @param {string} reason */
  fail(reason) {
    const root = this.appear();
    root.removeAttribute("aria-busy");
    this.part("title").textContent = "No such image";
    this.part("origin").textContent = "";
    this.part("place").textContent = "";
    this.part("body").replaceChildren(note(reason));
  }

  /** The label could not be changed. @param {string} reason */
  complain(reason) {
    const line = make("p", "sa-error", reason);
    line.setAttribute("role", "alert");
    this.part("body").prepend(line);
  }
}

/** @param {Listeners} listeners */
function build({ closed, stepped }) {
  const title = part(make("h2"), "title");
  title.tabIndex = -1;
  const back = part(
    icon("Image before (left arrow)", "‹", () => stepped(-1)),
    "back",
  );
  const on = part(
    icon("Next image (right arrow)", "›", () => stepped(1)),
    "on",
  );
  const link = part(make("a", "sa-scatter-link", "Link"), "link");
  link.title = "The address of this image: copy it to share it";
  const head = make(
    "header",
    "sa-inspector-head",
    title,
    part(make("span", "sa-chip"), "origin"),
    link,
    part(make("span", "sa-inspector-place"), "place"),
    back,
    on,
    icon("Close (Escape)", "×", closed),
  );
  const root = make("aside", "sa-inspector", head, part(make("div", "sa-inspector-body"), "body"));
  root.setAttribute("aria-label", "Image");
  return root;
}

/**
 * @template {HTMLElement} T
 * @param {T} node
 * @param {string} name
 */
function part(node, name) {
  node.dataset.part = name;
  return node;
}

/** @param {string} title @param {string} sign @param {() => void} act */
function icon(title, sign, act) {
  const button = makeButton("sa-inspector-icon", sign, act);
  button.title = title;
  button.setAttribute("aria-label", title);
  return button;
}
