// @ts-check
// Where a person was in each queue, kept in the browser: a reload goes on there.

import { stored } from "../../static/lib/session.js";

/**
 * @typedef {object} Place
 * @property {number} seed of the random order
 * @property {number} newest the largest image id that the queue had
 * @property {number[]} next the image that was shown and those after it
 */

const NEXT_KEPT = 20;

/**
 * Where to go on: at the first image that is still there; at the top where newer images have come before it.
 * @param {Place | null} place
 * @param {number[]} ids
 * @param {string} order
 */
export function resumeAt(place, ids, order) {
  if (!place || (order === "newest" && largest(ids) > place.newest)) return 0;
  const found = place.next.map((id) => ids.indexOf(id)).find((index) => index >= 0);
  return found ?? 0;
}

/** @param {number[]} ids */
export function largest(ids) {
  return ids.reduce((most, id) => Math.max(most, id), 0);
}

export class Places {
  /**
   * @param {string} owner the workspace and the person
   * @param {Storage} storage
   */
  constructor(owner, storage) {
    this.prefix = `synthaug.place.${owner}.`;
    this.storage = storage;
  }

  /** @param {string} scope @param {string} order @returns {Place | null} */
  of(scope, order) {
    return stored(`${this.prefix}${scope}.${order}`, null, this.storage);
  }

  /**
   * @param {string} scope
   * @param {string} order
   * @param {{ seed: number, newest: number, ids: number[], at: number }} queue
   */
  keep(scope, order, { seed, newest, ids, at }) {
    const place = { seed, newest, next: ids.slice(at, at + NEXT_KEPT) };
    try {
      this.storage.setItem(`${this.prefix}${scope}.${order}`, JSON.stringify(place));
    } catch {
      // Full: the answers need the room more, and the desk says so for them.
    }
  }
}
