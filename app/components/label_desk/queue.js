// @ts-check
// The queue: ids of everything, records of what comes soon, decoded images of what comes next.

/** @typedef {import("../../static/lib/types.js").Item} Item */
/** @typedef {import("../viewer/viewer.js").Picture} Shown */
/** @typedef {{ shown: Shown | null, state: "loading" | "ready" | "failed" }} Picture */
/**
 * @typedef {object} Listeners
 * @property {() => void} arrived more records are here
 * @property {() => void} unreachable records cannot be fetched; it goes on trying
 * @property {(imageId: number) => void} decoded an image can be shown now, or never
 */
/**
 * @typedef {object} Sources
 * @property {(ids: number[]) => Promise<Item[]>} items throws while the app cannot be reached
 * @property {(item: Item) => Promise<Shown>} picture decoded; rejects what cannot be read
 * @property {(milliseconds: number) => Promise<void>} pause
 */

/** @typedef {{ ahead: number, page: number, refill: number }} Sizes how many records are kept ahead, fetched at once, too few */

/** For one person. @type {Sizes} */
export const ALONE = { ahead: 120, page: 100, refill: 60 };
/** For several: what one holds the others do not get. @type {Sizes} */
export const SHARED = { ahead: 24, page: 16, refill: 12 };
const IMAGES_AHEAD = 8;
const IMAGES_BEHIND = 2;
const FILMS_AHEAD = 2; // one of 3000 x 3000 takes 24 MB
const RETRY_MS = 1000;

export class LabelQueue {
  /**
   * @param {Sources} sources
   * @param {Listeners} listeners
   * @param {Sizes} sizes
   */
  constructor(sources, listeners, sizes = ALONE) {
    this.sizes = sizes;
    this.sources = sources;
    this.listeners = listeners;
    /** @type {number[]} */
    this.ids = [];
    /** @type {Map<number, Item>} */
    this.items = new Map();
    /** @type {Map<number, Picture>} */
    this.pictures = new Map();
    this.at = 0;
    this.fetching = false;
  }

  /** @param {number[]} ids @param {number} at where to begin */
  replace(ids, at = 0) {
    this.ids = ids;
    this.items = new Map();
    this.at = at;
    this.fetching = false;
  }

  /** Another order: the present image stays, all after it is read anew. @param {number[]} ids */
  reorder(ids) {
    const { current } = this;
    const rest = ids.filter((id) => id !== current?.image_id);
    this.replace(current ? [current.image_id, ...rest] : rest);
    if (current) this.items.set(current.image_id, current);
    this.lookAhead();
  }

  /** The record of the present image; undefined while it is on its way. */
  get current() {
    return this.items.get(this.ids[this.at]);
  }

  get finished() {
    return this.at >= this.ids.length;
  }

  /** The present image. */
  get picture() {
    return this.pictures.get(this.ids[this.at]);
  }

  /** @param {number} index */
  moveTo(index) {
    this.at = Math.max(0, Math.min(this.ids.length, index));
    this.lookAhead();
  }

  /** Go to one image wherever it is; one that is not in this queue is put in at the present place. @param {number} imageId */
  find(imageId) {
    const index = this.ids.indexOf(imageId);
    if (index < 0) this.ids.splice(this.at, 0, imageId);
    this.moveTo(index < 0 ? this.at : index);
  }

  /** Fetch the records and decode the images that come next. */
  lookAhead() {
    this.decodeAhead();
    const from = Math.max(0, this.at - IMAGES_BEHIND);
    const { ahead, page, refill } = this.sizes;
    const missing = this.ids.slice(from, this.at + ahead).filter((id) => !this.items.has(id));
    const near = this.ids.slice(from, this.at + refill).some((id) => !this.items.has(id));
    if (near && !this.fetching) this.fetch(missing.slice(0, page));
  }

  /** @param {number[]} ids */
  async fetch(ids) {
    const queue = this.ids;
    this.fetching = true;
    try {
      const items = await this.sources.items(ids);
      if (queue !== this.ids) return;
      for (const item of items) this.items.set(item.image_id, item);
      this.leaveOut(new Set(ids.filter((id) => !this.items.has(id))));
      this.fetching = false;
      this.listeners.arrived();
    } catch {
      if (queue !== this.ids) return;
      this.listeners.unreachable();
      await this.sources.pause(RETRY_MS);
      this.fetching = false;
    }
    this.lookAhead();
  }

  /** Ask again for what comes next: what another person has taken meanwhile is left out. */
  async renew() {
    const queue = this.ids;
    const held = queue.slice(this.at, this.at + this.sizes.ahead).filter((id) => this.items.has(id));
    if (!held.length) return;
    const items = await this.sources.items(held).catch(() => null);
    if (!items || queue !== this.ids) return;
    const mine = new Set(items.map(({ image_id }) => image_id));
    const lost = held.filter((id) => !mine.has(id));
    if (!lost.length) return;
    for (const id of lost) this.items.delete(id);
    this.leaveOut(new Set(lost));
    this.lookAhead();
    this.listeners.arrived();
  }

  /** Images that are not to be had, from here on. @param {Set<number>} gone */
  leaveOut(gone) {
    if (!gone.size) return;
    const kept = this.ids.filter((id, index) => index < this.at || !gone.has(id));
    this.ids.splice(0, this.ids.length, ...kept);
  }

  decodeAhead() {
    const near = this.ids.slice(Math.max(0, this.at - IMAGES_BEHIND), this.at + IMAGES_AHEAD + 1);
    const keep = new Set(near);
    for (const id of this.pictures.keys()) if (!keep.has(id)) this.pictures.delete(id);
    for (const id of near) {
      const item = this.items.get(id);
      if (item && !this.pictures.has(id) && !this.isTooFar(item)) this.pictures.set(id, this.decode(item));
    }
  }

  /** Whether a film can wait. @param {Item} item */
  isTooFar({ image_id, bits }) {
    return bits > 8 && !this.ids.slice(this.at, this.at + FILMS_AHEAD + 1).includes(image_id);
  }

  /** @param {Item} item @returns {Picture} */
  decode(item) {
    /** @type {Picture} */
    const picture = { shown: null, state: "loading" };
    const settle = (/** @type {Partial<Picture>} */ settled) => {
      Object.assign(picture, settled);
      this.listeners.decoded(item.image_id);
    };
    this.sources.picture(item).then(
      (shown) => settle({ shown, state: "ready" }),
      () => settle({ state: "failed" }),
    );
    return picture;
  }
}
