// @ts-check
// Another image side by side with the present one: its prior, its nearest neighbours, what it was drawn from, or any
// image by its number. Both are zoomed, moved, turned and windowed together.

import { fetchItems, getJson } from "../../static/lib/api.js";
import { find } from "../../static/lib/dom.js";
import { PINNED, preferred, sortOf } from "./offers.js";
import { alike } from "./placement.js";
import { Viewer } from "./viewer.js";

/** @typedef {import("../../static/lib/types.js").Item} Item */
/** @typedef {import("./viewer.js").Picture} Picture */
/** @typedef {import("./offers.js").Offer} Offer */

export class Beside {
  /**
   * @param {HTMLElement} desk
   * @param {Viewer} viewer of the present image
   * @param {{ picture: (item: Item) => Promise<Picture>, toggled: () => void }} host
   */
  constructor(desk, viewer, host) {
    this.root = find(desk, "[data-beside]", HTMLElement);
    this.frame = find(this.root, "[data-beside-frame]", HTMLElement);
    this.choice = find(this.root, "[data-beside-choice]", HTMLSelectElement);
    this.number = find(this.root, "[data-beside-number]", HTMLInputElement);
    this.main = viewer;
    this.other = new Viewer(this.frame, null);
    this.host = host;
    /** @type {Offer[]} */
    this.offers = [];
    /** The image that was typed; it stays beside whatever comes. @type {Offer | null} */
    this.pinned = null;
    this.sort = "";
    /** @type {Item | null} */
    this.item = null;
    /** What was asked for last. @type {number | null} */
    this.wanted = null;
    viewer.handled = () => this.follow(viewer, this.other);
    viewer.beside = () => this.toggle();
    this.other.handled = () => this.follow(this.other, viewer);
    this.choice.addEventListener("change", () => this.choose());
    this.number.addEventListener("change", () => this.pin());
    find(this.root, "[data-beside-close]", HTMLButtonElement).addEventListener("click", () => this.toggle());
  }

  get isOpen() {
    return !this.root.hidden;
  }

  toggle() {
    this.root.hidden = this.isOpen;
    this.main.toolbar.press("beside", this.isOpen);
    if (!this.isOpen) this.other.clear();
    const { item } = this;
    this.item = null;
    this.host.toggled();
    if (item) this.show(item);
  }

  /** Another image is looked at. @param {Item} item */
  show(item) {
    const isNew = item.image_id !== this.item?.image_id;
    this.item = item;
    if (this.isOpen && isNew) this.ask(item.image_id);
  }

  /** @param {number} imageId */
  async ask(imageId) {
    const { offers } = await getJson(`/data/beside/${imageId}`).catch(() => ({ offers: [] }));
    if (this.item?.image_id !== imageId) return;
    this.offers = this.pinned ? [this.pinned, ...offers] : offers;
    const options = this.offers.map(({ why, item }) => new Option(why, String(item.image_id)));
    this.choice.replaceChildren(...(options.length ? options : [new Option("No image goes with this one", "")]));
    this.choice.disabled = !options.length;
    const offer = preferred(this.offers, this.sort);
    if (offer) this.choice.value = String(offer.item.image_id);
    await this.draw(offer);
  }

  choose() {
    this.choice.blur();
    const offer = this.offers.find(({ item }) => String(item.image_id) === this.choice.value);
    if (!offer) return;
    this.sort = sortOf(offer.why);
    this.draw(offer);
  }

  /** Show the image with the number that was typed, beside this one and those that follow. */
  async pin() {
    const id = Number(this.number.value);
    this.number.value = "";
    this.number.blur();
    if (!Number.isInteger(id) || id < 1) return;
    const [item] = await fetchItems([id]).catch(() => []);
    if (!item) return this.say(`There is no image ${id}.`);
    this.pinned = { why: `${PINNED}: ${id}`, item };
    this.sort = PINNED;
    if (this.item) await this.ask(this.item.image_id);
  }

  /** @param {Offer | undefined} offer */
  async draw(offer) {
    this.wanted = offer?.item.image_id ?? null;
    if (!offer) return this.say("Type the number of an image to see it here.");
    const picture = await this.host.picture(offer.item).catch(() => null);
    if (this.wanted !== offer.item.image_id || !this.isOpen) return;
    if (!picture) return this.say("This image cannot be read.");
    this.root.dataset.image = String(offer.item.image_id);
    this.other.handled = () => {}; // while it begins it leads nobody
    this.other.show(picture, offer.item, this.main.smooth);
    this.other.handled = () => this.follow(this.other, this.main);
    for (const each of [this.main, this.other]) each.measure(); // the other one may just have come
    this.follow(this.main, this.other);
  }

  /** @param {string} words */
  say(words) {
    this.other.clear();
    delete this.root.dataset.image;
    this.frame.replaceChildren(words);
  }

  /**
   * One was moved or windowed: so is the other. Numbers of a window mean the same only where both are films, or none is.
   * @param {Viewer} leader
   * @param {Viewer} follower
   */
  follow(leader, follower) {
    if (!this.isOpen || !leader.picture || !follower.picture) return;
    follower.isFitted = leader.isFitted;
    follower.placement = alike(
      leader.placement,
      { picture: leader.size, stage: leader.stage },
      { picture: follower.size, stage: follower.stage },
    );
    if (Boolean(leader.picture.film) === Boolean(follower.picture.film)) {
      follower.window = leader.window;
      follower.inverted = leader.inverted;
      follower.newTable();
    }
    follower.resize();
  }
}
