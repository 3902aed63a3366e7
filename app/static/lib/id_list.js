// @ts-check
// A short text for many ids, for an address: consecutive ids take as little space as one.

const SEVEN = 0x7f;
const MORE = 0x80;

/**
 * Ids as base64url of the gaps between runs and the lengths of runs, seven bits a byte.
 * @param {ArrayLike<number>} ids ascending, not negative
 */
export function encodeIds(ids) {
  /** @type {number[]} */
  const bytes = [];
  let next = 0;
  for (let at = 0; at < ids.length; ) {
    let end = at + 1;
    while (end < ids.length && ids[end] === ids[end - 1] + 1) end++;
    push(bytes, ids[at] - next);
    push(bytes, end - at);
    next = ids[end - 1] + 1;
    at = end;
  }
  return btoa(bytes.map((byte) => String.fromCharCode(byte)).join(""))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/**
 * The ids of such a text; [] if it is not a list of at most `most` ids.
 * @param {string} text
 * @param {number} most
 */
export function decodeIds(text, most) {
  const numbers = numbersOf(text);
  /** @type {number[]} */
  const ids = [];
  let next = 0;
  for (let at = 0; at + 1 < numbers.length; at += 2) {
    const [gap, run] = [numbers[at], numbers[at + 1]];
    if (ids.length + run > most) return [];
    next += gap;
    for (let i = 0; i < run; i++) ids.push(next++);
  }
  return ids;
}

/** @param {number[]} bytes @param {number} value */
function push(bytes, value) {
  let left = value;
  while (left > SEVEN) {
    bytes.push((left % MORE) | MORE);
    left = Math.floor(left / MORE);
  }
  bytes.push(left);
}

/** @param {string} text */
function numbersOf(text) {
  const numbers = [];
  let [value, unit] = [0, 1];
  for (const letter of binary(text)) {
    const byte = letter.charCodeAt(0);
    value += (byte & SEVEN) * unit;
    unit *= MORE;
    if (byte & MORE) continue;
    numbers.push(value);
    [value, unit] = [0, 1];
  }
  return numbers;
}

/** @param {string} text base64url */
function binary(text) {
  try {
    return atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    return "";
  }
}
