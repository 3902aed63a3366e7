// @ts-check
// The drawer that shows one image, on every page. It is made when an image is first opened. Events on document:
//   in   synthaug:inspect     {key, ids?}     open the image with this id or SHA-256; the arrows walk along `ids`
//   in   synthaug:walkable    {ids}           the images of the page, in their order
//   out  synthaug:inspector                   the drawer has come and wants to be told what is walkable
//   out  synthaug:inspecting  {id | null}     the image that is open now
//   out  synthaug:relabeled   {id, value, class_index}   its label is another one
// A click on an element with `data-sa-image` (an id or SHA-256) opens that image; `data-sa-among` on it or
// around it lists the ids that the arrows walk along.

import { parameter, setAddress } from "../../static/lib/address.js";
import { ApiError, getJson } from "../../static/lib/api.js";
import { announce, closest } from "../../static/lib/dom.js";
import { operationId } from "../../static/lib/session.js";
import { batchOf, save, undo } from "../grid/batches.js";
import { putTag } from "../grid/tagging.js";
import { Drawer } from "./drawer.js";
import { Walk } from "./walk.js";

/** @typedef {import("../../static/lib/types.js").Inspection} Inspection */
/** @typedef {import("../../static/lib/types.js").LabelValue} LabelValue */
/** @typedef {import("../../static/lib/types.js").Said} Said */

const TYPING = "input, textarea, select, [contenteditable]";

export class Inspector {
  /** @param {Event | null} early the last click or `synthaug:inspect` from before this module had come */
  constructor(early) {
    this.walk = new Walk();
    /** What the page lists now. @type {ArrayLike<number>} */
    this.walkable = [];
    /** @type {Inspection | null} */
    this.found = null;
    /** What was asked for last: an answer to anything before comes too late. */
    this.asked = "";
    this.drawer = new Drawer({
      closed: () => this.close(),
      stepped: (step) => this.step(step),
      takenBack: (said) => this.takeBack(said),
      labeled: (value, index) => this.label(value, index),
      tagged: (tag, on) => this.tag(tag, on),
    });
    this.listen();
    announce("synthaug:inspector");
    this.followAddress();
    if (early instanceof CustomEvent) this.onAsked(early);
    else if (early instanceof MouseEvent) this.onClick(early);
  }

  /**
   * @param {string} key an id or SHA-256
   * @param {ArrayLike<number> | null} ids what to walk along; null: what was walked along before
   * @param {boolean} replace the address, so that Back does not stop at the image before
   */
  async open(key, ids, replace) {
    this.asked = key;
    if (ids) this.walk.along(ids);
    this.drawer.wait();
    try {
      const found = await getJson(`/data/image/${encodeURIComponent(key)}`);
      if (this.asked === key) this.show(found, replace);
    } catch (error) {
      if (this.asked === key) this.drawer.fail(reasonOf(error));
    }
  }

  /** @param {Inspection} found @param {boolean} replace */
  show(found, replace) {
    const { image_id, sha256 } = found.item;
    this.found = found;
    this.walk.stand(image_id);
    this.drawer.show(found, this.walk);
    setAddress({ image: sha256 }, { replace });
    announce("synthaug:inspecting", { id: image_id });
  }

  close() {
    if (!this.drawer.isOpen) return;
    this.asked = "";
    this.found = null;
    this.drawer.hide();
    setAddress({ image: null });
    announce("synthaug:inspecting", { id: null });
  }

  /** @param {number} step */
  step(step) {
    const next = this.walk.at(step);
    if (next !== null) this.open(String(next), null, true);
  }

  /** The page has a list now, and before the open image was in none. @param {number} id */
  walkAlong(id) {
    this.walk.along(this.walkable);
    this.walk.stand(id);
    this.drawer.showWalk(this.walk);
  }

  /** Open what the address names, close where it names nothing: on a cold start, after Back. */
  followAddress() {
    const named = parameter("image");
    if (named === (this.found?.item.sha256 ?? null)) return;
    if (named) this.open(named, this.walkable, true);
    else this.close();
  }

  // ---------------------------------------------------------------- labels

  /** @param {Said} said */
  takeBack(said) {
    const entries = [{ op: said.op_id, undo: operationId() }];
    return this.change(() => undo({ entries }, () => {}));
  }

  /** @param {LabelValue} value @param {number | null} index */
  label(value, index) {
    if (!this.found) return;
    const batch = batchOf("one image", pointOf(this.found), [0], value, "human", () => index);
    this.change(() => save(batch, () => {}));
  }

  /** @param {string} tag @param {boolean} on */
  tag(tag, on) {
    const { item } = this.found ?? {};
    if (item) this.change(() => putTag([item.image_id], tag, on));
  }

  /** Change the image, then show what it is now. @param {() => Promise<unknown>} write */
  async change(write) {
    const key = this.asked;
    try {
      await write();
      const found = /** @type {Inspection} */ (await getJson(`/data/image/${key}`));
      const { image_id, label_value, label_class } = found.item;
      announce("synthaug:relabeled", { id: image_id, value: label_value, class_index: label_class });
      if (this.asked === key) this.show(found, true);
    } catch (error) {
      this.drawer.complain(error instanceof Error ? error.message : String(error));
    }
  }

  // ---------------------------------------------------------------- keys and the rest of the page

  listen() {
    document.addEventListener("synthaug:inspect", (event) => this.onAsked(event));
    document.addEventListener("synthaug:walkable", (event) => {
      this.walkable = /** @type {CustomEvent} */ (event).detail.ids;
      if (this.found && this.walk.place < 0) this.walkAlong(this.found.item.image_id);
    });
    document.addEventListener("click", (event) => this.onClick(event));
    document.addEventListener("keydown", (event) => this.onKey(event), { capture: true });
    window.addEventListener("popstate", () => this.followAddress());
  }

  /** @param {Event} event */
  onAsked(event) {
    const { key, ids = this.walkable } = /** @type {CustomEvent} */ (event).detail;
    this.open(String(key), ids, this.found !== null);
  }

  /** @param {MouseEvent} event */
  onClick(event) {
    const { saImage } = closest(event, "[data-sa-image]")?.dataset ?? {};
    const { saAmong } = closest(event, "[data-sa-among]")?.dataset ?? {};
    if (saImage) this.open(saImage, saAmong?.split(",").map(Number) ?? null, this.found !== null);
  }

  /** While the drawer is open the arrows and Escape are its own. @param {KeyboardEvent} event */
  onKey(event) {
    if (!this.drawer.isOpen || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.composedPath()[0];
    if (target instanceof Element && target.closest(TYPING)) return;
    /** @type {Record<string, () => void>} */
    const actions = {
      Escape: () => this.close(),
      ArrowLeft: () => this.step(-1),
      ArrowRight: () => this.step(1),
    };
    if (!actions[event.key]) {
      if (target instanceof Node && this.drawer.root?.contains(target)) event.stopPropagation(); // no key of the page
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    actions[event.key]();
  }
}

/** @param {unknown} error */
function reasonOf(error) {
  if (error instanceof ApiError && error.status === 404) return "This workspace has no image with this id or hash.";
  return error instanceof Error ? error.message : String(error);
}

/** An image as the columns of a plot with one point. @param {Inspection} found */
function pointOf({ item }) {
  const columns = { ids: Uint32Array.of(item.image_id), state: new Uint8Array(1), label: new Uint8Array(1) };
  return { header: { model_id: item.model_id ?? null }, columns };
}
