// @ts-check
// A labeled test image takes landmarks once, without another class; then they are locked like its label.

/** @typedef {import("../../static/lib/types.js").Item} Item */

/** Whether an image keeps the landmarks it has. @param {Item | null} item */
export function isLocked(item) {
  if (!item?.landmarks || !item.locked) return false;
  return item.label_value !== "class" || item.landmarks.origin === "answer";
}
