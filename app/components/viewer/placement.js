// @ts-check
// Where a picture lies on the stage: scale, quarter turns, and how far its middle is from the stage's middle.
// Everything is in CSS pixels of the stage, from its upper left corner.

/** @typedef {{ width: number, height: number }} Size */
/** @typedef {{ scale: number, turns: number, x: number, y: number }} Placement */
/** @typedef {[number, number, number, number, number, number]} Matrix a b c d e f: x' = a x + c y + e, y' = b x + d y + f */

const LARGEST_SCALE = 40;
const KEPT_IN_SIGHT = 48; // px of the picture that cannot be pushed off the stage

/**
 * The picture's size on the stage at scale 1: a quarter turn swaps its sides.
 * @param {Size} picture
 * @param {number} turns
 * @returns {Size}
 */
function turnedSize({ width, height }, turns) {
  return turns % 2 ? { width: height, height: width } : { width, height };
}

/**
 * The whole picture, as large as the stage allows.
 * @param {Size} picture
 * @param {Size} stage
 * @param {number} turns
 * @returns {Placement}
 */
export function fitted(picture, stage, turns = 0) {
  const { width, height } = turnedSize(picture, turns);
  return { scale: Math.min(stage.width / width, stage.height / height), turns, x: 0, y: 0 };
}

/**
 * Enlarge by a factor so that what lies under a point stays there.
 * @param {Placement} placement
 * @param {{ x: number, y: number }} point on the stage
 * @param {number} factor
 * @param {Size} picture
 * @param {Size} stage
 * @returns {Placement}
 */
export function zoomed(placement, point, factor, picture, stage) {
  const least = Math.min(1, fitted(picture, stage, placement.turns).scale) / 2;
  const scale = Math.min(LARGEST_SCALE, Math.max(least, placement.scale * factor));
  const grown = scale / placement.scale;
  const [px, py] = [point.x - stage.width / 2, point.y - stage.height / 2];
  const moved = { ...placement, scale, x: px - (px - placement.x) * grown, y: py - (py - placement.y) * grown };
  return kept(moved, picture, stage);
}

/**
 * @param {Placement} placement
 * @param {number} dx
 * @param {number} dy
 * @param {Size} picture
 * @param {Size} stage
 * @returns {Placement}
 */
export function panned(placement, dx, dy, picture, stage) {
  return kept({ ...placement, x: placement.x + dx, y: placement.y + dy }, picture, stage);
}

/**
 * A quarter turn about the middle of the stage; 1: clockwise, -1: back.
 * @param {Placement} placement
 * @param {1 | -1} direction
 * @returns {Placement}
 */
export function turned({ scale, turns, x, y }, direction) {
  return { scale, turns: (turns + direction + 4) % 4, x: -direction * y, y: direction * x };
}

/**
 * Never quite off the stage.
 * @param {Placement} placement
 * @param {Size} picture
 * @param {Size} stage
 * @returns {Placement}
 */
function kept(placement, picture, stage) {
  const { width, height } = turnedSize(picture, placement.turns);
  const farthestX = Math.max(0, (width * placement.scale + stage.width) / 2 - KEPT_IN_SIGHT);
  const farthestY = Math.max(0, (height * placement.scale + stage.height) / 2 - KEPT_IN_SIGHT);
  return {
    ...placement,
    x: Math.max(-farthestX, Math.min(farthestX, placement.x)),
    y: Math.max(-farthestY, Math.min(farthestY, placement.y)),
  };
}

/**
 * Picture pixels -> stage pixels.
 * @param {Placement} placement
 * @param {Size} picture
 * @param {Size} stage
 * @returns {Matrix}
 */
export function matrixOf({ scale, turns, x, y }, picture, stage) {
  const cos = scale * [1, 0, -1, 0][turns];
  const sin = scale * [0, 1, 0, -1][turns];
  const [midX, midY] = [picture.width / 2, picture.height / 2];
  const [left, top] = [stage.width / 2 + x, stage.height / 2 + y];
  return [cos, sin, -sin, cos, left - cos * midX + sin * midY, top - sin * midX - cos * midY];
}

/**
 * Stage pixels -> picture pixels.
 * @param {Matrix} matrix
 * @returns {Matrix}
 */
export function inverse([a, b, c, d, e, f]) {
  const determinant = a * d - b * c;
  const [ia, ib, ic, id] = [d / determinant, -b / determinant, -c / determinant, a / determinant];
  return [ia, ib, ic, id, -(ia * e + ic * f), -(ib * e + id * f)];
}

/**
 * @param {Matrix} matrix
 * @param {number} x
 * @param {number} y
 * @returns {[number, number]}
 */
export function applied([a, b, c, d, e, f], x, y) {
  return [a * x + c * y + e, b * x + d * y + f];
}

/**
 * How far a turn of the wheel zooms: a notch of a mouse some 15%, a pinch on a touch pad as far as the fingers.
 * @param {Pick<WheelEvent, "deltaY" | "deltaMode" | "ctrlKey">} event
 */
export function wheelFactor({ deltaY, deltaMode, ctrlKey }) {
  const pixels = deltaY * [1, 16, 400][deltaMode];
  return Math.exp(-pixels * (ctrlKey ? 0.01 : 0.0015));
}

/**
 * The placement at which another picture shows the same part as this one: the same enlargement of what fits, the same
 * place in shares of the picture, turned alike.
 * @param {Placement} placement
 * @param {{ picture: Size, stage: Size }} here
 * @param {{ picture: Size, stage: Size }} there
 * @returns {Placement}
 */
export function alike({ scale, turns, x, y }, here, there) {
  const [from, to] = [fitted(here.picture, here.stage, turns), fitted(there.picture, there.stage, turns)];
  const [shown, wanted] = [turnedSize(here.picture, turns), turnedSize(there.picture, turns)];
  const across = (wanted.width * to.scale) / (shown.width * from.scale);
  const down = (wanted.height * to.scale) / (shown.height * from.scale);
  return { scale: (scale / from.scale) * to.scale, turns, x: x * across, y: y * down };
}
