// @ts-check
// Angles from landmarks and the class they make: the twin of synthaug/landmarks/geometry.py, held to the same cases.
// Coordinates are pixels of the full image, x to the right, y downwards.

/** @typedef {"left" | "right"} Side */
/** @typedef {{ name: string, title: string, mean: number[], side: Side | null }} Landmark a circle where `mean` has three numbers */
/**
 * @typedef {object} Angle
 * @property {string} name
 * @property {string} title
 * @property {Side | null} side
 * @property {string | null} at
 * @property {[string, string] | null} between
 * @property {[[string, string], [string, string]] | null} lines
 * @property {[string, string] | null} difference
 */
/** @typedef {{ by: string, thresholds: number[], names: string[] }} Classes */
/**
 * A scheme as the app keeps it (`synthaug.landmarks.scheme.Scheme`).
 * @typedef {object} Scheme
 * @property {string} name
 * @property {string} title
 * @property {"picture" | "subject"} sides
 * @property {Landmark[]} points
 * @property {Landmark[]} circles
 * @property {{ start: string, end: string }[]} lines
 * @property {Angle[]} angles
 * @property {Classes | null} classes
 * @property {string | null} caption how the angles stand in a caption
 */
/** @typedef {Record<string, number[]>} Places (x, y) of points, (x, y, radius) of circles */
/** @typedef {[number, number]} Vector */

/**
 * Degrees, 0 .. 180, at a vertex between the directions to two other places; NaN where they lie on one another.
 * @param {number[]} vertex
 * @param {number[]} first
 * @param {number[]} second
 */
export function angleAt(vertex, first, second) {
  return between(fromTo(vertex, first), fromTo(vertex, second));
}

/** @param {number[]} start @param {number[]} end @returns {Vector} */
function fromTo(start, end) {
  return [end[0] - start[0], end[1] - start[1]];
}

/** @param {Vector} a @param {Vector} b */
function between(a, b) {
  if (!(a[0] || a[1]) || !(b[0] || b[1])) return Number.NaN;
  return (Math.atan2(Math.abs(a[0] * b[1] - a[1] * b[0]), a[0] * b[0] + a[1] * b[1]) * 180) / Math.PI;
}

/**
 * Every angle of the scheme in degrees; NaN where landmarks lie on one another.
 * @param {Scheme} scheme
 * @param {Places} places
 */
export function measure(scheme, places) {
  /** @type {Record<string, number>} */
  const found = {};
  for (const angle of scheme.angles) found[angle.name] = measured(angle, places, found);
  return found;
}

/**
 * @param {Angle} angle
 * @param {Places} places
 * @param {Record<string, number>} found
 */
function measured({ at, between: ends, lines, difference }, places, found) {
  if (difference) return found[difference[0]] - found[difference[1]];
  if (lines) {
    const [[a, b], [c, d]] = lines;
    return between(fromTo(places[a], places[b]), fromTo(places[c], places[d]));
  }
  const [first, second] = /** @type {[string, string]} */ (ends);
  return angleAt(places[/** @type {string} */ (at)], places[first], places[second]);
}

/**
 * The degrees that decide the class; null where the scheme makes none.
 * @param {Scheme} scheme
 * @param {Record<string, number>} angles
 */
export function decidingValue({ classes, angles: all }, angles) {
  if (!classes) return null;
  if (classes.by === "least") return Math.min(...all.map(({ name }) => angles[name]));
  if (classes.by === "greatest") return Math.max(...all.map(({ name }) => angles[name]));
  return angles[classes.by];
}

/**
 * The name of the class that the angles make; null where there is none, or an angle is missing.
 * @param {Scheme} scheme
 * @param {Record<string, number>} angles
 */
export function classByAngles(scheme, angles) {
  const value = decidingValue(scheme, angles);
  if (!scheme.classes || value === null || !Number.isFinite(value)) return null;
  return scheme.classes.names[scheme.classes.thresholds.filter((threshold) => value >= threshold).length];
}

/** The name on the other side; one without a side is its own. @param {string} name */
export function partner(name) {
  const [first, ...rest] = name.split("_");
  const other = { left: "right", right: "left" }[first];
  return other ? [other, ...rest].join("_") : name;
}

/**
 * Whether left landmarks lie where the right ones belong.
 * @param {Scheme} scheme
 * @param {Places} places
 */
export function sidesLookSwapped({ points, circles, sides }, places) {
  const pairs = [...circles, ...points].filter(({ side }) => side === "left");
  const wrong = pairs.filter(({ name }) => {
    const [left, right] = [places[name][0], places[partner(name)][0]];
    return sides === "picture" ? left > right : left < right;
  });
  return wrong.length * 2 > pairs.length;
}
