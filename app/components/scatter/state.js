// @ts-check
// What the plot shows, as the page's address says it: see `Shown`. What is usual is left out of the address.

import { decodeIds, encodeIds } from "../../static/lib/id_list.js";
import { BY_FACET, MODES } from "./modes.js";
import { ORIGINS } from "./points.js";
import { threshold, USUAL } from "./quadrants.js";

/** @typedef {import("./model.js").Projection} Projection */
/**
 * @typedef {object} Shown
 * @property {Projection} projection `map=`
 * @property {string} mode what points are coloured by, `by=`
 * @property {number[]} hiddenOrigins `hide=`
 * @property {number[]} hiddenCategories of the mode, `off=`
 * @property {[number, number] | null} range of a continuous mode, `range=`
 * @property {import("./quadrants.js").Thresholds} thresholds `far=`, `sparse=`
 * @property {import("./facets.js").Where} where the wanted values of facets, `where=` as JSON
 * @property {string} text the words sought in prompts, `text=`
 * @property {boolean} full whether the plot fills the window, `full=`
 * @property {string | null} queue the suspects that are selected, `queue=`
 * @property {number[]} selected image ids, `#sel=`; those of a queue follow from it
 */

const PROJECTIONS = ["pca", "umap", "ood"];
const MOST_IDS = 2_000_000;
const CATEGORIES = 256;

/**
 * What an address asks for; what it says wrong counts as not said.
 * @param {string} search
 * @param {string} hash
 * @returns {Shown}
 */
export function readShown(search, hash) {
  const query = new URLSearchParams(search);
  const asked = query.get("map") ?? "";
  const mode = query.get("by") ?? "";
  return {
    projection: /** @type {Projection} */ (PROJECTIONS.includes(asked) ? asked : "pca"),
    mode: Object.hasOwn(MODES, mode) || mode.startsWith(BY_FACET) ? mode : "origin",
    hiddenOrigins: numbers(query.get("hide"), ORIGINS.length),
    hiddenCategories: numbers(query.get("off"), CATEGORIES),
    range: rangeOf(query.get("range")),
    thresholds: { far: share(query.get("far")) ?? USUAL.far, sparse: share(query.get("sparse")) ?? USUAL.sparse },
    where: whereOf(query.get("where")),
    text: query.get("text") ?? "",
    full: query.get("full") === "1",
    queue: query.get("queue"),
    selected: decodeIds(new URLSearchParams(hash.slice(1)).get("sel") ?? "", MOST_IDS),
  };
}

/**
 * The same as parameters of the address; null: not needed.
 * @param {Shown} shown
 * @returns {{ query: Record<string, string | null>, hash: Record<string, string | null> }}
 */
export function writeShown(shown) {
  const { projection, mode, hiddenOrigins, hiddenCategories, range, where, text, full, queue, selected } = shown;
  const { far, sparse } = shown.thresholds;
  return {
    query: {
      map: projection === "pca" ? null : projection,
      by: mode === "origin" ? null : mode,
      hide: hiddenOrigins.join(".") || null,
      off: hiddenCategories.join(".") || null,
      range: range?.join("..") ?? null,
      far: far === USUAL.far ? null : String(far),
      sparse: sparse === USUAL.sparse ? null : String(sparse),
      where: Object.keys(where).length ? JSON.stringify(where) : null,
      text: text || null,
      full: full ? "1" : null,
      queue,
    },
    hash: { sel: queue ? null : encodeIds(selected) || null },
  };
}

/** @param {string | null} text @param {number} below */
function numbers(text, below) {
  return (text ?? "")
    .split(".")
    .filter((part) => /^\d+$/.test(part))
    .map(Number)
    .filter((value) => value < below);
}

/** @param {string | null} text */
function share(text) {
  return text === null || text === "" ? null : threshold(Number(text));
}

/** @param {string | null} text @returns {[number, number] | null} */
function rangeOf(text) {
  const ends = (text ?? "").split("..").map(Number);
  return text && ends.length === 2 && ends[0] <= ends[1] ? [ends[0], ends[1]] : null;
}

/** @param {string | null} text @returns {import("./facets.js").Where} */
function whereOf(text) {
  try {
    const entries = Object.entries(JSON.parse(text ?? "{}"));
    const isText = (/** @type {unknown} */ value) => typeof value === "string";
    return Object.fromEntries(entries.filter(([, values]) => Array.isArray(values) && values.every(isText)));
  } catch {
    return {};
  }
}
