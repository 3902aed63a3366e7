// @ts-check
// The window that a person last set, kept in this browser: for the series of a film, and for all films of its kind.

import { stored } from "../../static/lib/session.js";

/** @typedef {import("./levels.js").Window} Window */
/** @typedef {Record<string, Window | null>} Kept null: the default of the file was chosen */
/** @typedef {Pick<import("../../static/lib/types.js").Item, "width" | "height" | "bits" | "acquisition" | "series">} Of */

const KEY = "synthaug.viewer.windows";
const MOST_KEPT = 200;

/** What films are alike in: how and to what depth they were taken, else their size. @param {Of} item */
export function kindOf({ width, height, bits, acquisition }) {
  const { modality, view_position: view } = acquisition;
  return [bits, modality ?? `${width}x${height}`, view].filter(Boolean).join(" ");
}

/** Where its window is kept, the closest first: films of one kind in its series, films of its kind. @param {Of} item */
function placesOf(item) {
  const kind = kindOf(item);
  return item.series ? [`${kind} ${item.series}`, kind] : [kind];
}

/** @param {Storage} storage @returns {Kept} */
function kept(storage) {
  return stored(KEY, {}, storage);
}

/**
 * The window of the item's series, else that of its kind; null: the default of the file.
 * @param {Of} item
 * @returns {Window | null}
 */
export function remembered(item, storage = localStorage) {
  const windows = kept(storage);
  const place = placesOf(item).find((each) => each in windows);
  return place === undefined ? null : windows[place];
}

/**
 * @param {Of} item
 * @param {Window | null} window
 */
export function remember(item, window, storage = localStorage) {
  const windows = kept(storage);
  for (const place of placesOf(item)) {
    delete windows[place]; // what was set last is dropped last
    windows[place] = window;
  }
  storage.setItem(KEY, JSON.stringify(Object.fromEntries(Object.entries(windows).slice(-MOST_KEPT))));
}
