// @ts-check
// What the desk says in words. No element is touched here.

import { duration, number } from "../../static/lib/words.js";

/** @typedef {import("../../static/lib/types.js").Item} Item */
/** @typedef {import("../../static/lib/types.js").Label} Label */
/** @typedef {{ name: string, key: string, color: string }} ClassProps */
/** @typedef {"accept" | "reject" | "unsure" | "undo" | "redo" | "flag" | "back" | "skip" | "help" | "beside" | "grid" | "guideline" | "readers" | "reload"} Action */
/** @typedef {Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "repeat" | "isComposing"> & { shiftKey?: boolean }} KeyPress */

const RATE_WINDOW_MS = 60_000;
const LEAST_FOR_A_RATE = 3;

/** @type {Record<"reject" | "unsure", string>} */
export const VALUES = { reject: "Rejected", unsure: "Unsure" };

/** Keys that stay what they are. @type {[string, string][]} */
export const HELP = [
  ["Shift+Undo, Ctrl+Y", "Redo: repeat what was undone"],
  ["Space, Backspace", "Accept and Back, too"],
  ["Ctrl+G", "Go to a number in the queue"],
  ["?", "These keys"],
];

/**
 * @param {Label} label
 * @param {ClassProps[]} classes
 */
export function labelWords(label, classes) {
  if (label.value !== "class") return VALUES[label.value];
  return classes[label.class_index ?? -1]?.name ?? `class ${label.class_index}`;
}

/**
 * What a reader said: the class, and the angles of the landmarks that came with it.
 * @param {import("../../static/lib/types.js").Reading} reading
 * @param {ClassProps[]} classes
 */
export function readingWords(reading, classes) {
  const angles = Object.values(reading.angles ?? {}).map((degrees) => `${degrees.toFixed(1)}°`);
  return [labelWords(reading, classes), angles.join(" / ")].filter(Boolean).join(" · ");
}

/** The class the desk suggests; null without one. @param {Item} item */
export function suggestionOf(item) {
  return item.predicted_class ?? item.prompted_class;
}

/** Whether the model sees another class than the prompt asked for. @param {Item} item */
export function disagrees({ predicted_class, prompted_class }) {
  return predicted_class !== null && prompted_class !== null && predicted_class !== prompted_class;
}

/**
 * Where a suggestion comes from.
 * @param {Item} item
 * @param {ClassProps[]} classes
 */
export function reasonFor({ predicted_class, prompted_class, blind, trained_on, cross_fitted }, classes) {
  if (blind) return "A blind reading: no label, no prediction and no prompt is shown.";
  const prompted = prompted_class === null ? null : classes[prompted_class].name;
  const whose = trained_on
    ? "This model was trained on this very image."
    : cross_fitted
      ? "The prediction of a model that was trained without this image."
      : "The model's prediction.";
  if (predicted_class === null) {
    if (prompted === null) return "No model has seen this image yet.";
    return "This is what the prompt asked for; no model has seen the image yet.";
  }
  return prompted === null ? whose : `${whose} The prompt asked for ${prompted}.`;
}

/**
 * How large an image is, and how a film was taken. A marker that is burned into the picture is not read.
 * @param {Item} item
 */
export function sizeWords({ width, height, bits, acquisition }) {
  const { modality, view_position: view, laterality, burned_in: burned } = acquisition;
  const depth = bits > 8 ? `${bits} bits` : null;
  const warning = burned ? "text burned in" : null;
  return [`${width} × ${height} px`, depth, modality, view, laterality, warning].filter(Boolean).join(" · ");
}

/**
 * @param {number} at 0-based
 * @param {number} length
 */
export function placeWords(at, length) {
  return at >= length
    ? `End of the queue (${number(length)})`
    : `Image ${number(at + 1)} of ${number(length)} in the queue`;
}

/**
 * Answers a minute over the last minute; null for too few.
 * @param {number[]} times in milliseconds, oldest first
 * @param {number} now
 */
function rateOf(times, now) {
  const recent = times.filter((time) => now - time < RATE_WINDOW_MS);
  if (recent.length < LEAST_FOR_A_RATE) return null;
  const span = Math.max(1, recent[recent.length - 1] - recent[0]);
  return ((recent.length - 1) * 60_000) / span;
}

/** @param {number[]} times @param {number} now */
export function rateWords(times, now) {
  const rate = rateOf(times, now);
  return rate === null ? "" : `${Math.round(rate)} a minute`;
}

/**
 * How long the rest of the queue takes at this rate; "" without one.
 * @param {number[]} times
 * @param {number} now
 * @param {number} left images
 */
export function timeLeftWords(times, now, left) {
  const rate = rateOf(times, now);
  if (rate === null || left <= 0) return "";
  const minutes = left / rate;
  return minutes < 1 ? "under 1 min left" : `${duration(60 * Math.round(minutes)).replace(" 0 s", "")} left`;
}

/**
 * Why there is nothing to look at.
 * @param {number} synthetic images in the workspace
 * @param {number} length of the queue
 * @param {boolean} isOfReal whether only real images are asked for
 * @param {boolean} shared whether there are other readers
 */
export function emptyWords(synthetic, length, isOfReal, shared = false) {
  const held = shared ? " Images that other readers have open come back within five minutes." : "";
  if (isOfReal && !length) {
    const hint = "There is no such image. Choose another queue above, or import images on the Data page.";
    return { title: "Nothing left to label", hint: hint + held };
  }
  if (!synthetic && !length) {
    return {
      title: "Nothing to label yet",
      hint: "There are no synthetic images. Generate some, or choose Real above to look through imported images.",
    };
  }
  const hint = length
    ? "You have answered the whole queue. Z undoes, ← goes back."
    : "This queue is empty. Choose another queue above, generate more images, or look at the map on the Explore page.";
  return { title: "Nothing left to review", hint: hint + held };
}

/** The end of the queue of conflicts. @param {number} length */
export function conflictsEndWords(length) {
  const hint = length
    ? "You have settled all conflicts. Z undoes the last one."
    : "All readers of the same image gave the same answer, or a reviewer has settled it.";
  return { title: "No conflict left", hint };
}
