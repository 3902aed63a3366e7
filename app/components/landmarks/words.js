// @ts-check
// What the panel of the landmarks says. No element is touched here.

import { decidingValue } from "./geometry.js";

/** @typedef {import("./geometry.js").Scheme} Scheme */
/** @typedef {import("./shape.js").Shape} Shape */

/** @type {[string, string][]} */
export const HELP = [
  ["Tab, click", "Choose a landmark"],
  ["Arrows, Shift+arrows", "Move the chosen landmark by 1 or 10 pixels"],
  ["[   ]", "Make the chosen circle smaller or larger"],
  ["Undo, Redo", "The last move, before the last answer"],
  [";", "Hide or show the landmarks"],
  ["Esc", "Choose none: the arrows go back and on again"],
];

/** Where the landmarks come from. @param {Shape} shape */
export function originWords({ touched, saved, proposal: { origin, by, doubt } }) {
  if (touched || saved) return "Placed by you";
  if (origin === "answer") return `Placed by ${by}`;
  if (origin === "model") return `Proposed by ${by}${doubt === null ? "" : `, ± ${doubt.toFixed(1)} px`}`;
  return origin === "mean" ? "Mean of answers" : "Not placed yet";
}

/** The same in few words; how far off a model expects to be comes first. @param {Shape} shape */
export function shortOriginWords(shape) {
  const { origin, doubt } = shape.proposal;
  const isModels = origin === "model" && !shape.touched && !shape.saved;
  return isModels
    ? ["Proposed", doubt === null ? "" : `± ${doubt.toFixed(1)} px`].join(" ").trim()
    : originWords(shape);
}

/**
 * What a person can do now.
 * @param {Shape} shape
 * @param {boolean} swapped
 * @param {boolean} [locked] a test image keeps its landmarks
 */
export function hintWords({ isMeant, touched, proposal: { origin } }, swapped, locked = false) {
  if (locked && touched) return "This test image is locked; an owner corrects it.";
  if (locked) return "This test image is locked. → goes on.";
  if (swapped) return "Left and right look exchanged.";
  if (isMeant) return "Enter saves landmarks, angles and class.";
  return origin === "mean"
    ? "This is the mean of earlier answers: drag the landmarks onto this picture."
    : "Drag each landmark onto the picture.";
}

/** @param {number} degrees */
export function degreesWords(degrees) {
  return Number.isFinite(degrees) ? `${degrees.toFixed(1)}°` : "–";
}

/**
 * Why it is this class: "least 98.2° < 105°"; "" where angles make none.
 * @param {Scheme} scheme
 * @param {Record<string, number>} angles
 */
export function reasonWords(scheme, angles) {
  const value = decidingValue(scheme, angles);
  if (!scheme.classes || value === null || !Number.isFinite(value)) return "";
  const { by, thresholds } = scheme.classes;
  const named = scheme.angles.find(({ name }) => name === by)?.title ?? by;
  const below = thresholds.find((threshold) => value < threshold);
  const limit = below === undefined ? `≥ ${thresholds.at(-1)}°` : `< ${below}°`;
  return `${named} ${value.toFixed(1)}° ${limit}`;
}
