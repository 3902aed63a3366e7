// @ts-check
// The tiles of the grid: only what scrolls into view is in the page and is asked for. The Tab key reaches one of them,
// keys lead to the others (the pattern of a listbox: https://www.w3.org/WAI/ARIA/apg/patterns/listbox/).

import { fetchItems, thumbnail } from "../../static/lib/api.js";
import { make } from "../../static/lib/dom.js";
import { percent } from "../../static/lib/words.js";
import { LABELED, NONE, REJECTED } from "../scatter/points.js";
import { isLocked } from "./order.js";
import { placeAfter } from "./place_after.js";

/** @typedef {import("../../static/lib/types.js").Item} Item */
/** @typedef {import("../scatter/points.js").Points} Points */
/** @typedef {{ box: HTMLElement, mark: HTMLElement, open: HTMLElement, picture: HTMLElement, caption: HTMLElement, point: number, place: number }} Tile */
/**
 * @typedef {object} Listeners
 * @property {(message: string) => void} problem
 * @property {() => void} painted every tile in view shows its image, after a new selection
 * @property {(tile: Tile, through: boolean) => void} toggled the space key, and whether Shift is held
 * @property {(tile: Tile) => void} [opened] the Enter key
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
    /** The place of the tile that the Tab key reaches; it stays in the page. */
    this.current = 0;
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
    canvas.addEventListener("focusin", (event) => this.stand(this.tileAt(event)?.place ?? this.current));
    canvas.addEventListener("keydown", (event) => this.onKey(event));
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
    this.current = 0;
    const hadFocus = this.canvas.contains(document.activeElement);
    this.canvas.replaceChildren();
    this.scroller.scrollTop = 0;
    this.render();
    if (hadFocus) this.focus(0);
  }

  /** @param {Event} event */
  tileAt(event) {
    const target = event.target instanceof Element ? event.target.closest(".sa-grid-tile") : null;
    for (const tile of this.tiles.values()) if (tile.box === target) return tile;
    return null;
  }

  // ---------------------------------------------------------------- keys

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const tile = this.tileAt(event);
    if (!tile || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    /** @type {Record<string, (() => void) | undefined>} */
    const actions = { " ": () => this.listeners.toggled(tile, event.shiftKey) };
    if (this.listeners.opened) actions.Enter = () => this.listeners.opened?.(tile);
    if (!this.step(event.key)) {
      if (!actions[event.key]) return;
      if (!event.repeat) actions[event.key]?.();
    }
    event.preventDefault();
    event.stopPropagation();
  }

  /** Whether a key led to another tile. @param {string} key */
  step(key) {
    const place = placeAfter(key, this.current, this.measures().across, this.order.length);
    if (place === null) return false;
    this.focus(place);
    return true;
  }

  /** Let the Tab key reach the tile at a place. @param {number} place */
  stand(place) {
    this.current = place;
    if (!this.tiles.has(place)) this.render();
    for (const tile of this.tiles.values()) tile.box.tabIndex = tile.place === place ? 0 : -1;
  }

  /** Scroll to the tile at a place, and let the Tab key reach it. @param {number} place */
  reveal(place) {
    this.stand(place);
    this.tiles.get(place)?.box.scrollIntoView({ block: "nearest" });
  }

  /** Scroll to the tile at a place, and give it the focus. @param {number} place */
  focus(place) {
    this.reveal(place);
    this.tiles.get(place)?.box.focus({ preventScroll: true });
  }

  // ---------------------------------------------------------------- drawing

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
    /** @param {number} place */
    const put = (place) => {
      const { box } = this.tiles.get(place) ?? this.add(place);
      box.style.transform = `translate(${(place % across) * (side + GAP)}px, ${Math.floor(place / across) * line}px)`;
    };
    for (let place = from; place < to; place++) put(place);
    if (this.current < this.order.length) put(this.current);
    this.fetchMissing(from, to);
    this.notePaint();
  }

  /** Remove what is out of sight, except the tile that the Tab key reaches. @param {number} from @param {number} to */
  drop(from, to) {
    for (const [place, { box }] of this.tiles) {
      if ((place >= from && place < to) || place === this.current) continue;
      box.remove();
      this.tiles.delete(place);
    }
  }

  /** @param {number} place */
  add(place) {
    const picture = make("span", "sa-grid-picture");
    const caption = make("span", "sa-grid-caption");
    const [open, mark] = [make("span", "sa-grid-open", picture, caption), make("span", "sa-grid-mark")];
    const box = make("div", "sa-grid-tile", open, mark);
    box.setAttribute("role", "option");
    box.setAttribute("aria-posinset", String(place + 1));
    box.setAttribute("aria-setsize", String(this.order.length));
    box.tabIndex = place === this.current ? 0 : -1;
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
  dress({ box, mark, caption, point }) {
    if (!this.data) return;
    const { columns, header } = this.data;
    const [state, sure] = [columns.state[point], columns.confidence[point]];
    const index = state === LABELED ? columns.label[point] : columns.predicted[point];
    const word = state === REJECTED ? "rejected" : index === NONE ? "no prediction" : header.classes[index];
    const share = state === LABELED || state === REJECTED || Number.isNaN(sure) ? "" : ` ${percent(sure)}`;
    const locked = isLocked(columns, point);
    box.setAttribute("aria-label", `image ${columns.ids[point]}, ${word}${share}`);
    if (!locked) box.setAttribute("aria-selected", String(this.marked.has(point)));
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
