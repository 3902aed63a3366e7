// @ts-check
// Filters by facets: every facet has one bit in a mask a point, set where the point fails it. A point is kept when
// its mask is 0, so a change of one facet asks each point once, and the counts of a facet leave out its own bit.

/**
 * One property of all points; codes count from 1 into `values`, 0: the point has none.
 * @typedef {object} Facet
 * @property {string} name
 * @property {string} title
 * @property {string[]} values
 * @property {ArrayLike<number>} codes
 * @property {number[][] | null} [sets] where a point may have several values: codes count from 1 into these, each
 *   holds places in `values`
 */
/** @typedef {Record<string, string[]>} Where the wanted values of facets; a facet that is not named wants all */

const MOST = 31; // bits, less the one for the search
const SEARCH = 1 << 31;

export class Facets {
  /** @param {number} n points */
  constructor(n) {
    /** One mask a point. */
    this.failed = new Uint32Array(n);
    /** @type {Facet[]} */
    this.list = [];
    /** The wanted codes of every facet that does not want all. @type {Map<string, Set<number>>} */
    this.wanted = new Map();
    this.text = "";
  }

  /** Know these facets; what was wanted before is wanted still, where its facet is among them. @param {Facet[]} list */
  know(list) {
    const where = this.where;
    this.list = list.slice(0, MOST);
    this.want(where);
  }

  /** Other codes of a facet that is known. @param {string} name @param {ArrayLike<number>} codes */
  recode(name, codes) {
    const facet = this.list.find((each) => each.name === name);
    if (!facet) return;
    facet.codes = codes;
    this.judge(facet);
  }

  /** Whether anything is filtered. */
  get active() {
    return this.wanted.size > 0 || this.text !== "";
  }

  /** What is wanted, by values. @returns {Where} */
  get where() {
    return Object.fromEntries(
      this.list.flatMap(({ name, values }) => {
        const codes = this.wanted.get(name);
        return codes ? [[name, [...codes].sort((a, b) => a - b).map((code) => values[code - 1] ?? "")]] : [];
      }),
    );
  }

  /** Want these values alone; a value that no point has is left out. @param {Where} where */
  want(where) {
    this.wanted.clear();
    for (const facet of this.list) {
      const codes = (where[facet.name] ?? []).map((value) => (value === "" ? 0 : facet.values.indexOf(value) + 1));
      const known = codes.filter((code, i) => code > 0 || where[facet.name][i] === "");
      if (known.length) this.wanted.set(facet.name, new Set(known));
      this.judge(facet);
    }
  }

  /**
   * Want one value more, or no longer; a facet of which nothing is wanted wants all.
   * @param {string} name
   * @param {number} code
   * @param {boolean} on
   */
  choose(name, code, on) {
    const codes = this.wanted.get(name) ?? new Set();
    if (on) codes.add(code);
    else codes.delete(code);
    if (codes.size) this.wanted.set(name, codes);
    else this.wanted.delete(name);
    const facet = this.list.find((each) => each.name === name);
    if (facet) this.judge(facet);
  }

  /**
   * Keep only points that a search found.
   * @param {string} text "" searches for nothing
   * @param {Iterable<number>} points
   */
  search(text, points) {
    this.text = text;
    for (let i = 0; i < this.failed.length; i++)
      this.failed[i] = text ? this.failed[i] | SEARCH : this.failed[i] & ~SEARCH;
    if (text) for (const i of points) this.failed[i] &= ~SEARCH;
  }

  /** Set the bit of a facet in every mask. @param {Facet} facet */
  judge(facet) {
    const { failed } = this;
    const bit = 1 << this.list.indexOf(facet);
    const codes = this.wanted.get(facet.name);
    const passes = Uint8Array.from({ length: codesOf(facet) + 1 }, (_, code) =>
      !codes || valuesOf(facet, code).some((value) => codes.has(value)) ? 1 : 0,
    );
    for (let i = 0; i < failed.length; i++) failed[i] = passes[facet.codes[i]] ? failed[i] & ~bit : failed[i] | bit;
  }

  /**
   * How many points have each code of a facet, of those that every other facet keeps.
   * @param {Facet} facet
   */
  counts(facet) {
    const byCode = new Uint32Array(codesOf(facet) + 1);
    const others = ~(1 << this.list.indexOf(facet));
    for (let i = 0; i < this.failed.length; i++) if (!(this.failed[i] & others)) byCode[facet.codes[i]]++;
    const counts = new Uint32Array(facet.values.length + 1);
    for (let code = 0; code < byCode.length; code++)
      for (const value of valuesOf(facet, code)) counts[value] += byCode[code];
    return counts;
  }
}

/** The largest code of a facet. @param {Facet} facet */
function codesOf(facet) {
  return facet.sets ? facet.sets.length : facet.values.length;
}

/** What a code stands for: places in the values from 1 on, or 0 for none. @param {Facet} facet @param {number} code */
export function valuesOf(facet, code) {
  return facet.sets && code ? facet.sets[code - 1].map((place) => place + 1) : [code];
}
