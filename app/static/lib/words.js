// @ts-check
// Numbers, counts and durations as text.

const NUMBER = new Intl.NumberFormat("en");

/** @param {number} n */
export function number(n) {
  return NUMBER.format(n);
}

/**
 * "1 image", "1,200 images".
 * @param {number} n
 * @param {string} noun
 */
export function count(n, noun) {
  return `${number(n)} ${noun}${n === 1 ? "" : "s"}`;
}

/**
 * A share, 0..1, as whole percent: "37%"; "100%" only from 99.95% on.
 * @param {number} share
 */
export function percent(share) {
  return `${share >= 0.9995 ? 100 : Math.min(99, Math.round(100 * share))}%`;
}

/**
 * A duration: "40 s", "5 min 20 s", "2 h 30 min".
 * @param {number} seconds
 */
export function duration(seconds) {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
