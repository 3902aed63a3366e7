// @ts-check
// The agreement of the readers as tables: all together, by class and by pair.

import { make } from "../../static/lib/dom.js";
import { count } from "../../static/lib/words.js";

/** @typedef {{ value: number | null, low: number | null, high: number | null }} Coefficient */
/** @typedef {{ images: number, difference: number, mean_absolute_difference: number, icc: Coefficient }} Angle degrees */
/** @typedef {{ readers: number, images: number, icc: Coefficient }} AngleOfAll */
/** @typedef {{ first: string, second: string, images: number, same: number, kappa: Coefficient, classes: Record<string, Coefficient>, angles: Record<string, Angle> }} Pair */
/** @typedef {{ images: number, differing: number, conflicts: number, alpha: Coefficient, kappa: Coefficient, classes: Record<string, Coefficient>, class_kappas: Record<string, Coefficient>, angles: Record<string, AngleOfAll>, pairs: Pair[] }} Agreement */

/** "0.68 (0.50 to 0.85)" @param {Coefficient} found */
export function coefficientWords({ value, low, high }) {
  if (value === null || low === null || high === null) return "not defined";
  return `${value.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;
}

/** @param {Agreement} found */
export function agreementView(found) {
  const none =
    "No image has been read by two people yet. Set a share of second readings above, or let two people read the same queue.";
  if (!found.images) return make("p", "sa-note", none);
  const differ = `${count(found.images, "image")} with two or more readers; the answers differ on ${found.differing}.`;
  const open = found.conflicts ? ` ${count(found.conflicts, "conflict")} to settle: open the queue Conflicts.` : "";
  return make(
    "div",
    "rd-agreement",
    make("p", "sa-note", `${differ}${open} In brackets: 95% intervals.`),
    table(
      ["All readers", "Krippendorff's alpha", "Fleiss' kappa"],
      rows([found.alpha, found.kappa], [found.classes, found.class_kappas]),
    ),
    anglesOfAll(found.angles),
    ...found.pairs.map((pair) =>
      table(
        [`${pair.first} and ${pair.second}: same answer on ${pair.same} of ${pair.images}`, "Cohen's kappa"],
        rows([pair.kappa], [pair.classes]),
      ),
    ),
    ...found.pairs.filter(({ angles }) => Object.keys(angles).length).map(anglesTable),
  );
}

/** Nothing for two readers: the table of their pair says it. @param {Record<string, AngleOfAll>} angles */
function anglesOfAll(angles) {
  const lines = Object.entries(angles)
    .filter(([, { readers }]) => readers > 2)
    .map(([name, { readers, images, icc }]) => [
      `${name}: ${count(images, "image")} that all ${readers} readers measured`,
      coefficientWords(icc),
    ]);
  return lines.length ? table(["All readers: angles", "ICC(2,1)"], lines) : null;
}

/** @param {Pair} pair */
function anglesTable({ first, second, angles }) {
  const lines = Object.entries(angles).map(([name, { images, mean_absolute_difference: apart, icc }]) => [
    `${name}: mean difference ${apart.toFixed(1)}°, ${count(images, "image")}`,
    coefficientWords(icc),
  ]);
  return table([`${first} and ${second}: angles`, "ICC(2,1)"], lines);
}

/**
 * A row of all answers and one of each class, with a cell of each measure.
 * @param {Coefficient[]} all
 * @param {Record<string, Coefficient>[]} classes
 */
function rows(all, classes) {
  const names = Object.keys(classes[0]);
  return [
    ["All answers", ...all.map(coefficientWords)],
    ...names.map((name) => [`${name} versus all others`, ...classes.map((measure) => coefficientWords(measure[name]))]),
  ];
}

/** @param {string[]} head @param {string[][]} body */
function table(head, body) {
  const line = (/** @type {"th" | "td"} */ tag, /** @type {string[]} */ cells) =>
    make("tr", "", ...cells.map((cell, index) => make(tag, index ? "sa-num" : "", cell)));
  return make(
    "table",
    "",
    make("thead", "", line("th", head)),
    make("tbody", "", ...body.map((cells) => line("td", cells))),
  );
}
