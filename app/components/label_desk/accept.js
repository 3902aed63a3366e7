// @ts-check
// Enter: the suggestion of the model or the prompt, or the landmarks as they are shown.

import { LOCKED } from "./lock.js";
import { suggestionOf } from "./words.js";

/** @param {import("./desk.js").Desk} desk */
export function accept(desk) {
  const item = desk.queue.current;
  if (!item) return desk.say("class", null, "accepted");
  const { landmarks } = desk;
  const why = landmarks.obstacle || (item.locked && !landmarks.shape ? LOCKED : "");
  if (why) return desk.view.announce(why);
  const label = desk.labelOf(item);
  // A locked image takes landmarks, but no other class.
  const index = item.locked ? item.label_class : landmarks.classFor(suggestionOf(item), label);
  if (index === null) return desk.view.announce("There is no suggestion for this image.");
  return desk.say("class", index, "accepted");
}
