// @ts-check
// What the plot knows and no pixel of it: where points are, what they are coloured by, which are shown and selected.

import { enclosed, normalise, PointIndex } from "../../static/lib/geometry.js";
import { extent, MODES, STEPS } from "./modes.js";
import { planeBox } from "./plane.js";
import { NONE, ORIGINS } from "./points.js";

/** @typedef {"pca" | "umap" | "ood"} Projection */
/** @typedef {{ xy: Float32Array<ArrayBuffer>, width: number, height: number }} Box */

const CATEGORIES = 256;
/** Beyond this many a selection is not written into the address, which would take longer than the lasso. */
const MOST_IN_ADDRESS = 100_000;

export class PlotModel {
  /**
   * @param {import("./points.js").Points} points
   * @param {string} mode
   * @param {Projection} projection
   */
  constructor({ header, columns }, mode, projection) {
    this.header = header;
    this.columns = columns;
    this.n = header.n;
    /** @type {Partial<Record<Projection, Box>>} */
    this.boxes = {};
    this.category = new Uint8Array(this.n);
    this.visible = new Uint8Array(this.n);
    this.selected = new Uint8Array(this.n);
    this.selectedCount = 0;
    /** Points in drawing order. */
    this.order = new Uint32Array(this.n);
    /** Which origins are shown. */
    this.origins = ORIGINS.map(() => true);
    /** One flag a category: whether it is shown. */
    this.categories = new Uint8Array(CATEGORIES).fill(1);
    /** Of a continuous scale, what is shown. @type {[number, number] | null} */
    this.range = null;
    this.shownCount = 0;
    /** Not 0 where a filter leaves the point out. */
    this.failed = new Uint32Array(this.n);
    this.projection = projection;
    this.box = this.boxOf(projection);
    this.xy = this.box.xy;
    this.index = new PointIndex(this.xy);
    this.modeName = mode;
    this.mode = MODES[mode];
    this.colourBy(mode);
  }

  /** @param {Projection} projection */
  place(projection) {
    this.projection = projection;
    this.box = this.boxOf(projection);
    this.xy = this.box.xy;
    this.index = new PointIndex(this.xy);
  }

  /** Where the points lie in a projection; worked out when it is first shown. @param {Projection} projection @returns {Box} */
  boxOf(projection) {
    const { columns } = this;
    const box = this.boxes[projection] ?? (projection === "ood" ? planeBox(columns) : normalise(columns[projection]));
    this.boxes[projection] = box;
    return box;
  }

  /** The mode's column of figures; null where its colours are categories. */
  get figures() {
    return this.mode.scale ? this.columns[this.mode.scale] : null;
  }

  /** The mode's categories; empty for a continuous scale. */
  get named() {
    return this.mode.categories?.(this.header.classes) ?? [];
  }

  /** @param {string} name @param {import("./modes.js").Mode} [mode] where it is none of MODES */
  colourBy(name, mode = MODES[name]) {
    this.modeName = name;
    this.mode = mode;
    this.range = null;
    this.categories.fill(1);
    this.categorise();
    this.sort();
    this.filter();
  }

  /** The category of every point: of a continuous scale, its step; NONE without a value. */
  categorise() {
    const { figures, category, columns } = this;
    if (!figures) {
      for (let i = 0; i < this.n; i++) category[i] = this.mode.categoryOf?.(columns, i) ?? NONE;
      return;
    }
    const { low, high } = extent(figures);
    for (let i = 0; i < this.n; i++) {
      const step = Math.floor(((figures[i] - low) / (high - low)) * STEPS);
      category[i] = Number.isNaN(step) ? NONE : Math.max(0, Math.min(STEPS - 1, step));
    }
  }

  /** What has a category over what has none, the rarer origin over the other; on a scale the far over the near. A counting sort. */
  sort() {
    const { origin } = this.columns;
    const level = levels(origin);
    const continuous = this.figures !== null;
    /** @param {number} i */
    const rank = (i) => {
      if (this.category[i] === NONE) return level[origin[i]];
      return (level[origin[i]] + 1) * CATEGORIES + (continuous ? this.category[i] : 0);
    };
    const next = new Uint32Array((ORIGINS.length + 1) * CATEGORIES + 1);
    for (let i = 0; i < this.n; i++) next[rank(i) + 1]++;
    for (let r = 0; r < next.length - 1; r++) next[r + 1] += next[r];
    for (let i = 0; i < this.n; i++) this.order[next[rank(i)]++] = i;
  }

  /** Which points are shown, and how many. A point without a place never is. */
  filter() {
    const { figures, range, xy, failed } = this;
    const { origin } = this.columns;
    let shownCount = 0;
    for (let i = 0; i < this.n; i++) {
      const kept = figures
        ? !range || (figures[i] >= range[0] && figures[i] <= range[1])
        : this.categories[this.category[i]];
      this.visible[i] = kept && !failed[i] && this.origins[origin[i]] && !Number.isNaN(xy[2 * i]) ? 1 : 0;
      shownCount += this.visible[i];
    }
    this.shownCount = shownCount;
  }

  /**
   * Show or hide one category, or `only` this one. Never none at all.
   * @param {number} key
   * @param {boolean} only
   */
  toggle(key, only) {
    if (only) this.categories.fill(0)[key] = 1;
    else this.categories[key] ^= 1;
    if (!this.named.some((each) => this.categories[each.key])) this.categories.fill(1);
    this.filter();
  }

  /**
   * Hide these origins and categories, keep this range.
   * @param {{ hiddenOrigins: number[], hiddenCategories: number[], range: [number, number] | null }} hidden
   */
  showOnly({ hiddenOrigins, hiddenCategories, range }) {
    this.origins = ORIGINS.map((_, origin) => !hiddenOrigins.includes(origin));
    this.categories.fill(1);
    for (const key of hiddenCategories) this.categories[key] = 0;
    this.range = range;
    this.filter();
  }

  /** What is shown and selected, without the places of the thresholds. */
  get shown() {
    return {
      projection: this.projection,
      mode: this.modeName,
      hiddenOrigins: this.origins.flatMap((on, origin) => (on ? [] : [origin])),
      hiddenCategories: this.named.flatMap(({ key }) => (this.categories[key] ? [] : [key])),
      range: this.range,
      selected: this.selectedCount > MOST_IN_ADDRESS ? [] : this.selectedPoints.map((point) => this.columns.ids[point]),
    };
  }

  /** The points of images, in the order of the ids; an id that has none is left out. @param {number[]} ids */
  pointsOf(ids) {
    return ids.map((id) => this.pointOf(id)).filter((point) => point >= 0);
  }

  /** The ids ascend. @param {number} id */
  pointOf(id) {
    const { ids } = this.columns;
    let [low, high] = [0, this.n];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ids[middle] < id) low = middle + 1;
      else high = middle;
    }
    return ids[low] === id ? low : -1;
  }

  /** Of what the filters keep: how many points of each origin, and of each category among the origins that are shown. */
  counts() {
    const byOrigin = ORIGINS.map(() => 0);
    const byCategory = new Uint32Array(CATEGORIES);
    for (let i = 0; i < this.n; i++) {
      if (this.failed[i]) continue;
      const origin = this.columns.origin[i];
      byOrigin[origin]++;
      if (this.origins[origin]) byCategory[this.category[i]]++;
    }
    return { byOrigin, byCategory };
  }

  /**
   * Select points, alone or beside those that are; returns all that are selected now.
   * @param {number[]} points
   * @param {boolean} add
   */
  select(points, add) {
    if (!add) this.selected.fill(0);
    for (const i of points) this.selected[i] = 1;
    const all = this.selectedPoints;
    this.selectedCount = all.length;
    return all;
  }

  get selectedPoints() {
    return flagged(this.selected);
  }

  /** The points that are shown. */
  get shownPoints() {
    return flagged(this.visible);
  }

  /** The shown points inside a polygon. @param {ArrayLike<number>} polygon flat, in the unit box */
  enclosed(polygon) {
    return enclosed(this.xy, this.visible, polygon);
  }

  /** The nearest shown point; -1 without one. @param {number} x @param {number} y @param {number} reach */
  nearest(x, y, reach) {
    return this.index.nearest(x, y, reach, this.visible);
  }
}

/** @param {Uint8Array} flags */
function flagged(flags) {
  const found = [];
  for (let i = 0; i < flags.length; i++) if (flags[i]) found.push(i);
  return found;
}

/**
 * The place of each origin in drawing order: the most frequent first, because it would hide the others.
 * @param {Uint8Array} origin of every point
 * @returns {number[]} by origin
 */
export function levels(origin) {
  const counts = ORIGINS.map(() => 0);
  for (const each of origin) counts[each]++;
  const frequent = [...counts.keys()].sort((a, b) => counts[b] - counts[a] || a - b);
  return counts.map((_, each) => frequent.indexOf(each));
}
