// @ts-check
// The columns of the template-health table, and the order of its rows.

/** @typedef {{ count: number, total: number, share: number | null, low: number, high: number }} Rate */
/** @typedef {"rejected" | "flipped" | "far"} RateKey */
/** @typedef {RateKey | "value" | "slot" | "images" | "reviewed"} SortKey */
/**
 * One slot value (`synthaug.reading.template_health`).
 * @typedef {{ slot: string, value: string, images: number, reviewed: number, rejected: Rate, flipped: Rate, far: Rate }} HealthRow
 */

/** @type {{ key: RateKey, title: string, hint: string }[]} */
export const RATES = [
  { key: "rejected", title: "Rejected", hint: "Share of the reviewed images that were rejected" },
  {
    key: "flipped",
    title: "Corrected",
    hint: "Share of the reviewed images that were labeled as a class other than the prompted one",
  },
  {
    key: "far",
    title: "Far from real",
    hint: "Share of the images with features that are farther from the real images than 95% of the real images are from one another",
  },
];

/**
 * Whether the first click on a column sorts it in descending order.
 * @param {SortKey} key
 */
export function startsDown(key) {
  return key !== "value" && key !== "slot";
}

/**
 * A comparison for `sort`; equal rows are sorted by their number of images. An unknown rate counts as less than 0%.
 * @param {SortKey} key
 * @param {boolean} down
 * @returns {(a: HealthRow, b: HealthRow) => number}
 */
export function compare(key, down) {
  return (a, b) => {
    const [left, right] = [sortValue(a, key), sortValue(b, key)];
    const order =
      typeof left === "string" || typeof right === "string" ? String(left).localeCompare(String(right)) : left - right;
    return (down ? -order : order) || b.images - a.images;
  };
}

/**
 * @param {HealthRow} row
 * @param {SortKey} key
 */
function sortValue(row, key) {
  const value = row[key];
  return typeof value === "object" ? (value.share ?? -1) : value;
}
