// @ts-check
// Any number of steps back and forth again: moves of a landmark, then answers, on this page and through the log.

import { fetchItems } from "../../static/lib/api.js";
import { operationId } from "../../static/lib/session.js";
import { LOCKED } from "./lock.js";

/** @typedef {import("./desk.js").Desk} Desk */

/** Take back the last move on this image, else the last answer, on this page or in the log. @param {Desk} desk */
export async function undo(desk) {
  if (desk.landmarks.undo()) return desk.view.announce("The landmark is back where it was.");
  let last = desk.history.pop();
  if (!last) {
    await desk.history.read();
    last = desk.history.pop();
  }
  if (last?.item.locked) stay(desk, last);
  else if (last) takeBack(desk, last);
  else desk.view.announce("Nothing to undo.");
}

/** An answer that locked its image stays; the image says so. @param {Desk} desk @param {import("./history.js").Step} last */
function stay(desk, { item }) {
  desk.goTo(item.image_id);
  desk.view.announce(LOCKED);
}

/** @param {Desk} desk @param {import("./history.js").Step} last */
function takeBack(desk, last) {
  const { item, previous } = last;
  desk.said.set(item.image_id, previous);
  desk.strip = desk.strip.filter(({ op_id }) => op_id !== last.op_id);
  desk.times.pop();
  desk.goTo(item.image_id);
  desk.showStrip();
  const body = { op_id_to_undo: last.op_id, op_id: operationId() };
  desk.send("undo", item, body, "Undo", previous ? 0 : -1);
  desk.view.announce(`Undone. ${desk.placeWords()}`);
}

/** Repeat the move that was undone last on this image, else the answer. @param {Desk} desk */
export async function redo(desk) {
  if (desk.landmarks.redo()) return desk.view.announce("The landmark is moved again.");
  const { history, queue } = desk;
  const last = await history.nextUndone().catch(() => undefined);
  if (!last) return desk.view.announce("Nothing to redo.");
  const [item] = last.item ? [last.item] : await fetchItems([last.image_id]).catch(() => []);
  if (!item || history.undone?.at(-1) !== last) return; // something else was said meanwhile
  desk.goTo(item.image_id);
  const { value, class_index, source, model_id, landmarks } = last;
  const given = { source, model_id, landmarks: landmarks && Object.keys(landmarks.points).length ? landmarks : null };
  desk.answer(queue.items.get(item.image_id) ?? item, { value, class_index }, given);
}
