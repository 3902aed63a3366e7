// @ts-check
// What the plot knows and no pixel of it: where points are, what they are coloured by, which are shown and selected.

import { enclosed, normalise, PointIndex } from "../../static/lib/geometry.js";
import { extent, MODES, STEPS } from "./modes.js";
import { NONE, ORIGINS } from "./points.js";

/** @typedef {"pca" | "umap"} Projection */

const CATEGORIES = 256;

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
    this.boxes = { pca: normalise(columns.pca), umap: normalise(columns.umap) };
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
    this.projection = projection;
    this.box = this.boxes[projection];
    this.xy = this.box.xy;
    this.index = new PointIndex(this.xy);
    this.modeName = mode;
    this.mode = MODES[mode];
    this.colourBy(mode);
  }

  /** @param {Projection} projection */
  place(projection) {
    this.projection = projection;
    this.box = this.boxes[projection];
    this.xy = this.box.xy;
    this.index = new PointIndex(this.xy);
  }

  /** The mode's column of figures; null where its colours are categories. */
  get figures() {
    return this.mode.scale ? this.columns[this.mode.scale] : null;
  }

  /** The mode's categories; empty for a continuous scale. */
  get named() {
    return this.mode.categories?.(this.header.classes) ?? [];
  }

  /** @param {string} name */
  colourBy(name) {
    this.modeName = name;
    this.mode = MODES[name];
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

  /** Synthetic over real; on a continuous scale the far ones over the near ones. A counting sort. */
  sort() {
    const { origin } = this.columns;
    const continuous = this.figures !== null;
    /** @param {number} i */
    const rank = (i) => {
      const step = continuous && this.category[i] !== NONE ? this.category[i] + 1 : 0;
      return origin[i] * CATEGORIES + step;
    };
    const next = new Uint32Array(ORIGINS.length * CATEGORIES + 1);
    for (let i = 0; i < this.n; i++) next[rank(i) + 1]++;
    for (let r = 0; r < next.length - 1; r++) next[r + 1] += next[r];
    for (let i = 0; i < this.n; i++) this.order[next[rank(i)]++] = i;
  }

  /** Which points are shown, and how many. A point without a place never is. */
  filter() {
    const { figures, range, xy } = this;
    const { origin } = this.columns;
    let shownCount = 0;
    for (let i = 0; i < this.n; i++) {
      const kept = figures
        ? !range || (figures[i] >= range[0] && figures[i] <= range[1])
        : this.categories[this.category[i]];
      this.visible[i] = kept && this.origins[origin[i]] && !Number.isNaN(xy[2 * i]) ? 1 : 0;
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

  /** How many points of each origin, and how many of each category among the origins that are shown. */
  counts() {
    const byOrigin = ORIGINS.map(() => 0);
    const byCategory = new Uint32Array(CATEGORIES);
    for (let i = 0; i < this.n; i++) {
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
