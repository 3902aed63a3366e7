// @ts-check
// The tiles of the grid: only what scrolls into view is in the page and is asked for.

import { fetchItems, thumbnail } from "../../static/lib/api.js";
import { make, makeButton } from "../../static/lib/dom.js";
import { percent } from "../../static/lib/words.js";
import { LABELED, NONE, REJECTED } from "../scatter/points.js";
import { isLocked } from "./order.js";

/** @typedef {import("../../static/lib/types.js").Item} Item */
/** @typedef {import("../scatter/points.js").Points} Points */
/** @typedef {{ box: HTMLElement, mark: HTMLButtonElement, open: HTMLButtonElement, picture: HTMLElement, caption: HTMLElement, point: number, place: number }} Tile */
/**
 * @typedef {object} Listeners
 * @property {(message: string) => void} problem
 * @property {() => void} painted every tile in view shows its image, after a new selection
 * @property {(picture: HTMLElement, item: Item) => void} [pictured] a tile has its image now: draw over it
 */

const LEAST_SIDE = 76;
const CAPTION = 24;
const GAP = 8;
const MARGIN = 2; // lines above and below what is seen
const PAGE = 200;
const BADGES = ["", "✓", "✕", "?"];

export class Tiles {
  /**
   * @param {HTMLElement} scroller
   * @param {HTMLElement} canvas
   * @param {Listeners} listeners
   */
  constructor(scroller, canvas, listeners) {
    this.scroller = scroller;
    this.canvas = canvas;
    this.listeners = listeners;
    /** @type {Points | null} */
    this.data = null;
    /** @type {number[]} */
    this.order = [];
    /** @type {{ has: (point: number) => boolean }} */
    this.marked = new Set();
    /** Words on some points, in place of what they were predicted as. @type {Map<number, string>} */
    this.captions = new Map();
    /** By place in the order. @type {Map<number, Tile>} */
    this.tiles = new Map();
    /** By image id. @type {Map<number, Item>} */
    this.items = new Map();
    /** @type {Set<number>} */
    this.asked = new Set();
    this.awaitingPaint = false;
    this.frame = 0;
    const later = () => {
      this.frame ||= requestAnimationFrame(() => {
        this.frame = 0;
        this.render();
      });
    };
    scroller.addEventListener("scroll", later, { passive: true });
    new ResizeObserver(later).observe(scroller);
  }

  /**
   * Show these points from the top.
   * @param {Points | null} data
   * @param {number[]} order
   * @param {{ has: (point: number) => boolean }} marked
   */
  show(data, order, marked) {
    if (data?.columns !== this.data?.columns) {
      this.items.clear();
      this.asked.clear();
    }
    this.data = data;
    this.order = order;
    this.marked = marked;
    this.tiles.clear();
    this.canvas.replaceChildren();
    this.scroller.scrollTop = 0;
    this.render();
  }

  /** @param {Event} event */
  tileAt(event) {
    const target = event.target instanceof Element ? event.target.closest(".sa-grid-tile") : null;
    for (const tile of this.tiles.values()) if (tile.box === target) return tile;
    return null;
  }

  /** Give the focus to the tile at a place, where it is drawn. @param {number} place */
  focus(place) {
    this.tiles.get(place)?.mark.focus();
  }

  /** The place of the tile that has the focus; -1 without one. */
  get focused() {
    for (const { box, place } of this.tiles.values()) if (box.contains(document.activeElement)) return place;
    return -1;
  }

  measures() {
    const { clientWidth, clientHeight, scrollTop } = this.scroller;
    const across = Math.max(1, Math.floor((clientWidth + GAP) / (LEAST_SIDE + GAP)));
    const side = Math.floor((clientWidth - (across - 1) * GAP) / across);
    const line = side + CAPTION + GAP;
    const [first, last] = [Math.floor(scrollTop / line), Math.ceil((scrollTop + clientHeight) / line)];
    return { across, side, line, first, last };
  }

  render() {
    const { across, side, line, first, last } = this.measures();
    this.canvas.style.setProperty("--tile", `${side}px`);
    this.canvas.style.height = `${Math.max(0, Math.ceil(this.order.length / across) * line - GAP)}px`;
    const [from, to] = [Math.max(0, first - MARGIN) * across, Math.min(this.order.length, (last + MARGIN) * across)];
    this.drop(from, to);
    for (let place = from; place < to; place++) {
      const { box } = this.tiles.get(place) ?? this.add(place);
      box.style.transform = `translate(${(place % across) * (side + GAP)}px, ${Math.floor(place / across) * line}px)`;
    }
    this.fetchMissing(from, to);
    this.notePaint();
  }

  /** Remove what is out of sight. @param {number} from @param {number} to */
  drop(from, to) {
    for (const [place, { box }] of this.tiles) {
      if (place >= from && place < to) continue;
      box.remove();
      this.tiles.delete(place);
    }
  }

  /** @param {number} place */
  add(place) {
    const picture = make("span", "sa-grid-picture");
    const caption = make("span", "sa-grid-caption");
    const [open, mark] = [makeButton("sa-grid-open"), makeButton("sa-grid-mark")];
    open.append(picture, caption);
    mark.setAttribute("role", "checkbox");
    const box = make("div", "sa-grid-tile", open, mark);
    box.setAttribute("role", "group");
    const tile = { box, mark, open, picture, caption, place, point: this.order[place] };
    this.tiles.set(place, tile);
    this.canvas.append(box);
    this.fillPicture(tile);
    this.dress(tile);
    return tile;
  }

  /** @param {number} from @param {number} to */
  fetchMissing(from, to) {
    if (!this.data) return;
    const { ids } = this.data.columns;
    const missing = this.order
      .slice(from, to)
      .map((point) => ids[point])
      .filter((id) => !this.items.has(id) && !this.asked.has(id));
    for (let at = 0; at < missing.length; at += PAGE) this.fetch(missing.slice(at, at + PAGE));
  }

  /** @param {number[]} ids */
  async fetch(ids) {
    for (const id of ids) this.asked.add(id);
    try {
      for (const item of await fetchItems(ids)) this.items.set(item.image_id, item);
    } catch (error) {
      for (const id of ids) this.asked.delete(id);
      this.listeners.problem(`Some images could not be fetched: ${error instanceof Error ? error.message : error}`);
    }
    for (const tile of this.tiles.values()) this.fillPicture(tile);
    this.notePaint();
  }

  /** @param {Tile} tile */
  fillPicture({ open, picture, point }) {
    const item = this.data && this.items.get(this.data.columns.ids[point]);
    if (!item || picture.firstChild) return;
    const image = make("img");
    image.alt = item.prompt ?? "";
    image.decoding = "async";
    image.addEventListener("load", () => this.notePaint());
    image.addEventListener("error", () => this.notePaint());
    image.src = thumbnail(item);
    picture.append(image);
    this.listeners.pictured?.(picture, item);
    open.title = [item.prompt, item.split === "test" ? "test image: locked" : null].filter(Boolean).join("\n");
  }

  /** Show what is marked and labeled now. */
  refresh() {
    for (const tile of this.tiles.values()) this.dress(tile);
  }

  /** @param {Tile} tile */
  dress({ box, mark, open, caption, point }) {
    if (!this.data) return;
    const { columns, header } = this.data;
    const [state, sure] = [columns.state[point], columns.confidence[point]];
    const index = state === LABELED ? columns.label[point] : columns.predicted[point];
    const word = state === REJECTED ? "rejected" : index === NONE ? "no prediction" : header.classes[index];
    const share = state === LABELED || state === REJECTED || Number.isNaN(sure) ? "" : ` ${percent(sure)}`;
    const locked = isLocked(columns, point);
    box.setAttribute("aria-label", `image ${columns.ids[point]}, ${word}${share}`);
    open.setAttribute("aria-label", `Open image ${columns.ids[point]}`);
    mark.setAttribute("aria-label", `Mark image ${columns.ids[point]}`);
    mark.setAttribute("aria-checked", String(this.marked.has(point)));
    mark.hidden = locked;
    box.dataset.marked = String(this.marked.has(point));
    box.dataset.locked = String(locked);
    box.dataset.state = String(state);
    box.dataset.origin = String(columns.origin[point]);
    box.dataset.badge = locked ? "test" : BADGES[state];
    const given = this.captions.get(point);
    if (given !== undefined && state !== REJECTED) caption.replaceChildren(make("span", "", given));
    else caption.replaceChildren(make("span", "", word), make("em", "", share));
  }

  /** Tell once when every tile in view shows its image. */
  notePaint() {
    if (!this.awaitingPaint || !this.order.length) return;
    const { across, last } = this.measures();
    for (const { place, picture } of this.tiles.values()) {
      const image = picture.firstChild;
      if (place < last * across && !(image instanceof HTMLImageElement && image.complete)) return;
    }
    this.awaitingPaint = false;
    requestAnimationFrame(() => requestAnimationFrame(this.listeners.painted));
  }
}
