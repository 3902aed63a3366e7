// @ts-check
// What points can be coloured by. The one list of it: the choice above the plot and the legend both read it.

import { valuesOf } from "./facets.js";
import { NONE, ORIGINS, STATES } from "./points.js";

/** @typedef {import("./points.js").Columns} Columns */
/** @typedef {"confidence" | "ood_real" | "ood_synthetic"} Scale a column of figures */
/** @typedef {{ key: number, name: string, colour: string }} Category `colour` names a CSS variable */
/**
 * @typedef {object} Mode
 * @property {string} label in the choice
 * @property {string} title over the legend
 * @property {Scale} [scale] the column, where the colours are a continuous scale
 * @property {[string, string]} [ends] what a low and a high figure mean
 * @property {(columns: Columns, i: number) => number} [categoryOf] else: the category of a point
 * @property {(classes: string[]) => Category[]} [categories]
 */

/** Steps of a continuous scale. */
export const STEPS = 24;
const CLASS_COLOURS = 10;

/** @param {string} name @returns {Category} */
const none = (name) => ({ key: NONE, name, colour: "--sa-muted" });

/** @param {string[]} classes @returns {Category[]} */
const named = (classes) => classes.map((name, key) => ({ key, name, colour: `--sa-class-${key % CLASS_COLOURS}` }));

/** @param {string[]} names @param {string[]} colours @returns {Category[]} */
const paired = (names, colours) => names.map((name, key) => ({ key, name, colour: colours[key] }));

/**
 * The class of a point: its label, else what its prompt asked for.
 * @param {Columns} columns
 * @param {number} i
 */
export function classOf(columns, i) {
  return columns.label[i] === NONE ? columns.prompted[i] : columns.label[i];
}

/**
 * Whether the prediction is the class: 1, 0, or NONE where one of them is missing.
 * @param {Columns} columns
 * @param {number} i
 */
function agreement(columns, i) {
  const [truth, guess] = [classOf(columns, i), columns.predicted[i]];
  return truth === NONE || guess === NONE ? NONE : Number(truth === guess);
}

/** Before the name of a facet, where points are coloured by it. */
export const BY_FACET = "facet:";
const OTHERS = 254;

/**
 * Colours by the values of a facet: the ten commonest, then all others alike. A point with several has its first.
 * @param {import("./facets.js").Facet} facet
 * @returns {Mode}
 */
export function facetMode(facet) {
  const named = facet.values.slice(0, CLASS_COLOURS).map((name, key) => ({ key, name, colour: `--sa-class-${key}` }));
  const more = facet.values.length - named.length;
  const others = { key: OTHERS, name: `${more} other values`, colour: "--sa-ink" };
  return {
    label: facet.title,
    title: facet.title,
    categoryOf: (_, i) => {
      const [value] = valuesOf(facet, facet.codes[i]);
      if (!value) return NONE;
      return value > CLASS_COLOURS ? OTHERS : value - 1;
    },
    categories: () => [...named, ...(more > 0 ? [others] : []), none("none")],
  };
}

/** @type {Record<string, Mode>} */
export const MODES = {
  origin: {
    label: "Origin",
    title: "Origin",
    categoryOf: (columns, i) => columns.origin[i],
    categories: () => paired(ORIGINS, ["--sa-real", "--sa-real", "--sa-synthetic"]),
  },
  class: {
    label: "Class",
    title: "Class (label, else prompted)",
    categoryOf: classOf,
    categories: (classes) => [...named(classes), none("no class yet")],
  },
  predicted: {
    label: "Prediction",
    title: "Prediction",
    categoryOf: (columns, i) => columns.predicted[i],
    categories: (classes) => [...named(classes), none("not predicted")],
  },
  agree: {
    label: "Prediction against class",
    title: "Prediction against class",
    categoryOf: agreement,
    categories: () => [
      { key: 1, name: "agrees", colour: "--sa-good" },
      { key: 0, name: "disagrees", colour: "--sa-bad" },
      none("nothing to compare"),
    ],
  },
  state: {
    label: "Review",
    title: "Review",
    categoryOf: (columns, i) => columns.state[i],
    categories: () => paired(STATES, ["--sa-muted", "--sa-good", "--sa-bad", "--sa-warn"]),
  },
  confidence: { label: "Confidence", title: "Confidence of the prediction", scale: "confidence" },
  ood_real: {
    label: "Distance from real",
    title: "Distance from real images",
    scale: "ood_real",
    ends: ["near", "far"],
  },
  ood_synthetic: {
    label: "Distance from other synthetic",
    title: "Distance from other synthetic images",
    scale: "ood_synthetic",
    ends: ["near", "far"],
  },
};

/**
 * The 1st and 99th percentile, so that one far outlier does not flatten the colour of all others; and the ends.
 * @param {Float32Array} values NaN is left out
 */
export function extent(values) {
  const finite = values.filter((value) => !Number.isNaN(value)).sort();
  if (!finite.length) return { low: 0, high: 1, min: 0, max: 1 };
  /** @param {number} p */
  const quantile = (p) => finite[Math.round(p * (finite.length - 1))];
  const low = quantile(0.01);
  return { low, high: Math.max(quantile(0.99), low + 1e-6), min: finite[0], max: finite[finite.length - 1] };
}

/**
 * A colour between five stops.
 * @param {string[]} stops hex
 * @param {number} t 0..1
 */
export function rampColour(stops, t) {
  const place = t * (stops.length - 1);
  const first = Math.min(stops.length - 2, Math.floor(place));
  /** @param {string} hex */
  const channels = (hex) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
  const [a, b] = [channels(stops[first]), channels(stops[first + 1])];
  return `rgb(${a.map((value, c) => Math.round(value + (b[c] - value) * (place - first))).join(",")})`;
}
