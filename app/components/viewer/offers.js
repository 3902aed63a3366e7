// @ts-check
// What can be looked at beside an image, and which of it is shown first. No element is touched here.

/** @typedef {{ why: string, item: import("../../static/lib/types.js").Item }} Offer */

export const PINNED = "Image number";

/** What sort of companion it is: "Prior", "Nearest real" ... @param {string} why */
export function sortOf(why) {
  return why.split(/[:,]/)[0];
}

/**
 * Which offer to show: the same sort as before, else the first.
 * @param {Offer[]} offers
 * @param {string} sort
 */
export function preferred(offers, sort) {
  return offers.find(({ why }) => sortOf(why) === sort) ?? offers[0];
}
