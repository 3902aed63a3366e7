// @ts-check
// The facets that follow from the points themselves; the others are asked for.

import { classOf } from "./modes.js";
import { NONE, ORIGINS, STATES } from "./points.js";

/** @typedef {import("./facets.js").Facet} Facet */
/** @typedef {import("./points.js").Points} Points */

/** What a label changes. */
export const CHANGING = ["class", "review"];

/** @param {Points} points @returns {Facet[]} */
export function ownFacets({ header, columns }) {
  /** @param {(i: number) => number} placeOf a place among the values, or NONE */
  const codes = (placeOf) =>
    Uint16Array.from({ length: columns.ids.length }, (_, i) => (placeOf(i) === NONE ? 0 : placeOf(i) + 1));
  return [
    {
      name: "class",
      title: "Class (label, else prompted)",
      values: header.classes,
      codes: codes((i) => classOf(columns, i)),
    },
    { name: "origin", title: "Origin", values: ORIGINS, codes: codes((i) => columns.origin[i]) },
    { name: "prediction", title: "Prediction", values: header.classes, codes: codes((i) => columns.predicted[i]) },
    { name: "review", title: "Review", values: STATES, codes: codes((i) => columns.state[i]) },
  ];
}
