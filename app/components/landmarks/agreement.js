// @ts-check
// How well a landmark model measures angles, as words and as a plot after Bland and Altman (1986). No element is
// touched here.

import { count, number } from "../../static/lib/words.js";

/** @typedef {import("../../static/lib/types.js").LandmarkReport} Report */
/** @typedef {import("../../static/lib/types.js").LandmarkStanding} Standing */
/** @typedef {import("../../static/lib/types.js").Measured} Measured */
/** @typedef {import("./geometry.js").Angle} Angle */
/** @typedef {{ image_id: number, name: string, mean: number, difference: number }} Point degrees */

export const PUBLISHED =
  "Published models of Norberg angles are 5° to 6° off on average; people differ from one another by 3° to 10°.";

/** @param {number | null | undefined} value @param {number} digits */
function decimal(value, digits) {
  return value === null || value === undefined ? "–" : value.toFixed(digits).replace("-", "−");
}

/** Whole degrees or halves, at an axis. @param {number} value */
export function tickWords(value) {
  return `${value}°`.replace("-", "−");
}

/** @param {number} value */
export function signed(value) {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(1)}°`;
}

/** The columns of the table of figures. */
export const COLUMNS = ["Angle", "Mean error", "Bias", "95% of differences", "Pearson", "Spearman"];

/**
 * A row an angle, and one for all of them.
 * @param {Report} report
 * @param {Angle[]} angles
 * @returns {string[][]}
 */
export function figureRows({ angles: found }, angles) {
  const named = angles.map(({ name, title }) => /** @type {[string, string]} */ ([name, title]));
  const all = /** @type {[string, string][]} */ (named.length > 1 ? [["all", "All angles"]] : []);
  return [...named, ...all].flatMap(([name, title]) => {
    const { mean_absolute_error: error, bias, low, high, pearson, spearman } = found[name] ?? {};
    if (error === undefined) return [];
    const limits = `${signed(low)} to ${signed(high)}`;
    return [[title, `${decimal(error, 1)}°`, signed(bias), limits, decimal(pearson, 2), decimal(spearman, 2)]];
  });
}

/** On what it was measured. @param {Report} report */
export function measuredWords({ measured_on: on, images, train_images: trained, point_error: error, accuracy }) {
  const held = on === "test" ? "real test image" : "training image that was held out";
  const kind = images === 1 ? held : held.replace("image", "images").replace("was", "were");
  const right = accuracy === null ? "" : ` The class that the angles make is right in ${Math.round(100 * accuracy)}%.`;
  return (
    `The model was trained on ${count(trained, "image")} and measured on ${number(images)} ${kind}. ` +
    `Its landmarks are ${error.toFixed(1)} px off on average.${right}`
  );
}

/** What the panel beside the picture says of the model. @param {Standing} standing */
export function standingWords({ placed, needed, new: fresh, job, report }) {
  if (job?.state === "running" || job?.state === "queued") return trainingWords(job);
  if (report) return fresh ? `${report.model}: ${count(fresh, "new image")} since` : `${report.model} is up to date`;
  if (placed < needed) return `A model needs ${count(needed - placed, "more image")}`;
  return `No model yet, ${count(placed, "image")} to learn from`;
}

/** @param {NonNullable<Standing["job"]>} job */
export function trainingWords({ state, note }) {
  return state === "queued" ? "The training waits for another job" : `Training: ${note || "reading the images"}`;
}

/** Whether the button trains now. @param {Standing} standing */
export function canTrain({ placed, needed, job }) {
  return placed >= needed && job?.state !== "running" && job?.state !== "queued";
}

/**
 * A point for each angle of each measured image: the mean of the two readings, and model minus person.
 * @param {Measured[]} measured
 * @param {string[]} names
 * @returns {Point[]}
 */
export function blandAltman(measured, names) {
  return measured.flatMap(({ image_id, true: placed, read }) =>
    names
      .map((name) => ({ image_id, name, mean: (placed[name] + read[name]) / 2, difference: read[name] - placed[name] }))
      .filter(({ difference }) => Number.isFinite(difference)),
  );
}

/**
 * Round numbers that span these values, some five of them.
 * @param {number[]} values
 * @returns {number[]} ascending
 */
export function ticks(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const rough = Math.max(high - low, 1) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((each) => each * power >= rough) ?? 10);
  const first = Math.floor(low / step);
  const last = Math.max(first + 1, Math.ceil(high / step));
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
}
