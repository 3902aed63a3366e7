// @ts-check
// Where a key leads among tiles in rows.

/**
 * The place that a key leads to from `place` among `count` tiles, `across` in a row; null for a key that leads nowhere.
 * @param {string} key as KeyboardEvent.key
 * @param {number} place
 * @param {number} across
 * @param {number} count
 */
export function placeAfter(key, place, across, count) {
  /** @type {Record<string, number>} */
  const places = {
    ArrowLeft: place - 1,
    ArrowRight: place + 1,
    ArrowUp: place - across,
    ArrowDown: place + across,
    Home: 0,
    End: count - 1,
  };
  if (!(key in places) || !count) return null;
  return Math.max(0, Math.min(count - 1, places[key]));
}
