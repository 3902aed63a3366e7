// @ts-check
// Which runs are listed, and which two are shown side by side, according to the address.

/**
 * An entry of the list (`synthaug.reading.runs.Entry`).
 * @typedef {object} Entry
 * @property {"comparison" | "run" | "model"} kind
 * @property {string} title
 * @property {string[]} sides keys: one, or the two of a comparison
 * @property {string[]} class_sets
 * @property {string[]} recipes
 * @property {string[]} arms
 * @property {string[]} generators
 * @property {number} seeds
 * @property {number[]} accuracies one per side, 0..1
 * @property {string | null} verdict
 * @property {number | null} difference
 * @property {string} test_fingerprint
 * @property {string} created_at ISO 8601, UTC
 */
/** @typedef {"kind" | "classes" | "recipe" | "arm" | "generator"} FilterName */
/** @typedef {Partial<Record<FilterName, string>>} Wanted a filter that is not set keeps all entries */

export const NONE = "none";

/** @type {Record<FilterName, (entry: Entry) => string[]>} */
const VALUES = {
  kind: ({ kind }) => [kind],
  classes: ({ class_sets }) => class_sets,
  recipe: ({ recipes }) => recipes,
  arm: ({ arms }) => arms,
  generator: ({ generators }) => (generators.length ? generators : [NONE]),
};

export const FILTERS = /** @type {FilterName[]} */ (Object.keys(VALUES));

/**
 * The entries that pass all filters.
 * @param {Entry[]} entries
 * @param {Wanted} wanted
 */
export function kept(entries, wanted) {
  return entries.filter((entry) => FILTERS.every((name) => passes(entry, name, wanted[name])));
}

/** @param {Entry} entry @param {FilterName} name @param {string | undefined} value */
function passes(entry, name, value) {
  return !value || VALUES[name](entry).includes(value);
}

/**
 * The values of a filter, by name, each with the number of entries that pass the other filters.
 * @param {Entry[]} entries
 * @param {FilterName} name
 * @param {Wanted} wanted
 * @returns {[string, number][]}
 */
export function choices(entries, name, wanted) {
  const others = kept(entries, { ...wanted, [name]: undefined });
  /** @type {Map<string, number>} */
  const counts = new Map(entries.flatMap((entry) => VALUES[name](entry).map((value) => [value, 0])));
  for (const entry of others) for (const value of VALUES[name](entry)) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }));
}

/**
 * The sides to show after a click: a comparison shows both of its sides, a shown side is removed, and a third side
 * replaces the second.
 * @param {string[]} shown keys, at most two
 * @param {string[]} chosen the sides of an entry
 */
export function afterChoosing(shown, chosen) {
  if (chosen.length === 2) return isShown(shown, chosen) ? [] : chosen;
  const [key] = chosen;
  if (shown.includes(key)) return shown.filter((each) => each !== key);
  return [...shown.slice(0, 1), key];
}

/** Whether all sides of an entry are shown. @param {string[]} shown @param {string[]} sides */
export function isShown(shown, sides) {
  return sides.every((key) => shown.includes(key));
}
