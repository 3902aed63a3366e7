// @ts-check
// Where the desk has its things from: pictures, films, what was said before, and who is here.

import { fetchItems, getJson } from "../../static/lib/api.js";
import { openedBy, postSigned } from "../../static/lib/session.js";
import { fetchFilm } from "../viewer/films.js";

/** @typedef {import("../../static/lib/types.js").Item} Item */
/** @typedef {import("../../static/lib/session.js").Person} Person */

const RETRY_MS = 2000;

/**
 * What this person said before this page was opened.
 * @param {number | null} before an entry of the log
 * @returns {Promise<import("./history.js").Step[]>}
 */
export async function olderAnswers(before) {
  const { answers } = await getJson(`/data/answers${before === null ? "" : `?before=${before}`}`);
  const ids = answers.map((/** @type {any} */ { image_id }) => image_id);
  const items = new Map((await fetchItems([...new Set(ids)])).map((item) => [item.image_id, item]));
  return answers.flatMap((/** @type {any} */ said) => {
    const { id, op_id, image_id, value, class_index, previous_value, previous_class } = said;
    const item = items.get(image_id);
    const previous = previous_value && { value: previous_value, class_index: previous_class };
    const { source, model_id, landmarks } = said;
    const given = { source, model_id, landmarks };
    return item ? [{ op_id, item, label: { value, class_index }, ...given, previous, logged: id }] : [];
  });
}

/** What this person took back and can say again, the last first. @returns {Promise<import("./history.js").TakenBack[]>} */
export async function takenBack() {
  return (await getJson("/data/redo")).answers;
}

/**
 * Records of the images that nobody else looks at; they are this person's for some minutes. Throws ApiError.
 * @param {number[]} ids
 * @param {string} scope the queue they are in
 * @returns {Promise<Item[]>}
 */
export async function leased(ids, scope) {
  return ids.length ? (await postSigned("/data/leases", { ids, scope })).items : [];
}

/** @param {number} milliseconds @returns {Promise<void>} */
export function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/**
 * The image to look at, decoded before it is shown.
 * @param {Item} item
 * @returns {Promise<import("../viewer/viewer.js").Picture>}
 */
export async function decoding({ sha256, review, bits }) {
  if (bits > 8) return { film: await fetchFilm(`/media/${sha256}.gray.png`) };
  const image = new Image();
  image.alt = "Image to label";
  image.draggable = false;
  image.src = `/media/${sha256}${review ? ".review" : ""}.png`;
  await image.decode();
  return { image };
}

/** Who opened the page, asked until the app says. @returns {Promise<Person>} */
export async function knownPerson() {
  for (;;) {
    try {
      return await openedBy();
    } catch {
      await pause(RETRY_MS);
    }
  }
}
