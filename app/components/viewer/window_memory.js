// @ts-check
// The window that was last set for a kind of film, kept in this browser.

import { stored } from "../../static/lib/session.js";

/** @typedef {import("./levels.js").Window} Window */

const KEY = "synthaug.viewer.windows";
const KINDS_KEPT = 50;

/**
 * What films are alike in: how and to what depth they were taken, else their size.
 * @param {{ width: number, height: number, bits: number, acquisition: Record<string, any> }} item
 */
export function kindOf({ width, height, bits, acquisition }) {
  const { modality, view_position: view } = acquisition;
  return [bits, modality ?? `${width}x${height}`, view].filter(Boolean).join(" ");
}

/** @param {string} kind @returns {Window | null} */
export function remembered(kind) {
  return stored(KEY, /** @type {Record<string, Window>} */ ({}))[kind] ?? null;
}

/**
 * @param {string} kind
 * @param {Window | null} window null: the default again
 */
export function remember(kind, window) {
  const { [kind]: _, ...others } = stored(KEY, /** @type {Record<string, Window>} */ ({}));
  const kept = Object.entries(window ? { ...others, [kind]: window } : others).slice(-KINDS_KEPT);
  localStorage.setItem(KEY, JSON.stringify(Object.fromEntries(kept)));
}
