// @ts-check
// Labels of many images at once: saved page by page, undone as a whole.

import { ApiError } from "../../static/lib/api.js";
import { operationId, postSigned } from "../../static/lib/session.js";
import { LABELED, NONE, REJECTED, STATE_OF, UNREVIEWED } from "../scatter/points.js";

/** @typedef {import("../../static/lib/types.js").LabelValue} LabelValue */
/**
 * What of the points a batch reads.
 * @typedef {{ header: { model_id: number | null }, columns: { ids: Uint32Array, state: Uint8Array, label: Uint8Array } }} Labeled
 */
/** @typedef {{ point: number, state: number, label: number }} Change what the columns say of a point */
/** @typedef {Change & { before: Change, op: string, undo: string }} Entry `op`, `undo`: the ids of its operations */
/** @typedef {{ name: string, data: Labeled, value: LabelValue, source: "human" | "accepted", entries: Entry[], saved: number }} Batch */
/** @typedef {(changes: Change[], done: number) => void} Saved */

const PAGE = 200;
const TRIES = 3;
const RETRY_MS = 300;

/**
 * A batch that says `value` of these points; `classOf` gives the class, or null to leave a point out.
 * @param {string} name
 * @param {Labeled} data
 * @param {number[]} points
 * @param {LabelValue} value
 * @param {"human" | "accepted"} source
 * @param {(point: number) => number | null} classOf
 * @returns {Batch}
 */
export function batchOf(name, data, points, value, source, classOf) {
  const { state, label } = data.columns;
  const entries = points.flatMap((point) => {
    const index = value === "class" ? classOf(point) : NONE;
    if (index === null) return [];
    const before = { point, state: state[point], label: label[point] };
    return [{ point, state: STATE_OF[value], label: index, before, op: operationId(), undo: operationId() }];
  });
  return { name, data, value, source, entries, saved: 0 };
}

/**
 * Save what of a batch is not saved yet. Throws ApiError; `batch.saved` says how far it came.
 * @param {Batch} batch
 * @param {Saved} saved after every page
 */
export async function save(batch, saved) {
  while (batch.saved < batch.entries.length) {
    const page = batch.entries.slice(batch.saved, batch.saved + PAGE);
    await post("/data/labels", { entries: page.map((entry) => bodyOf(batch, entry)) });
    batch.saved += page.length;
    saved(page, batch.saved);
  }
}

/**
 * Take back a batch, page by page, the last first. Throws ApiError; doing it again goes on.
 * @param {{ entries: { op: string, undo: string }[] }} batch
 * @param {(done: number) => void} undone after every page
 */
export async function undo({ entries }, undone) {
  const undos = entries.map(({ op, undo }) => ({ op_id_to_undo: op, op_id: undo })).reverse();
  for (let done = 0; done < undos.length; done += PAGE) {
    await post("/data/undo", { entries: undos.slice(done, done + PAGE) });
    undone(Math.min(done + PAGE, undos.length));
  }
}

/** Let the columns say what was changed. @param {Labeled} data @param {Change[]} changes */
export function apply({ columns }, changes) {
  for (const { point, state, label } of changes) {
    columns.state[point] = state;
    columns.label[point] = label;
  }
}

/** Whether trying again cannot help: the app has looked at it and refused. @param {unknown} error */
export function isRefusal(error) {
  return error instanceof ApiError && error.body?.refused === true;
}

/**
 * @param {Batch} batch
 * @param {Entry} entry
 * @returns {import("../../static/lib/types.js").LabelBody}
 */
function bodyOf({ data, value, source }, entry) {
  return {
    image_id: data.columns.ids[entry.point],
    value,
    class_index: value === "class" ? entry.label : null,
    source,
    op_id: entry.op,
    model_id: data.header.model_id,
    seen: seenIn(entry.before),
  };
}

/** The label that the grid showed. @param {Change} before @returns {import("../../static/lib/types.js").Label | null} */
function seenIn({ state, label }) {
  if (state === UNREVIEWED) return null;
  if (state === LABELED) return { value: "class", class_index: label };
  return { value: state === REJECTED ? "reject" : "unsure", class_index: null };
}

/**
 * Send, and send again a few times unless it was refused. Throws ApiError.
 * @param {string} path
 * @param {unknown} body
 */
async function post(path, body) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await postSigned(path, body);
    } catch (error) {
      if (isRefusal(error) || attempt === TRIES) throw error;
      await new Promise((wake) => setTimeout(wake, RETRY_MS * attempt));
    }
  }
}
