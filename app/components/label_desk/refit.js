// @ts-check
// Train while labeling: what the desk says of it, and when the rest of the queue is to be put in another order.

import { getJson } from "../../static/lib/api.js";
import { find } from "../../static/lib/dom.js";
import { count } from "../../static/lib/words.js";

/** @typedef {import("../../static/lib/types.js").Progress} Progress */
/** @typedef {import("../../static/lib/types.js").Refit} Refit */

const ASK_MS = 3000; // while it is being fitted

/** @param {Refit | null | undefined} refit */
export function refitWords(refit) {
  if (!refit) return "";
  if (refit.running) return "Fitting the model …";
  if (refit.problem) return "The model could not be fitted";
  const when = refit.left ? `in ${count(refit.left, "answer")}` : "with the next answer";
  const next = `model fitted again ${when}`;
  return refit.fitted === null ? next.replace("again ", "") : next;
}

export class Refitting {
  /**
   * @param {HTMLElement} desk
   * @param {() => void} refitted the order may be another now
   */
  constructor(desk, refitted) {
    this.place = find(desk, "[data-refit]", HTMLElement);
    this.refitted = refitted;
    /** @type {Refit | null} */
    this.last = null;
    this.asking = false;
  }

  /** @param {Progress} progress */
  hear({ refit = null }) {
    const before = this.last;
    this.last = refit;
    this.place.textContent = refitWords(refit);
    this.place.title = refit?.problem ?? "";
    if (before && refit && refit.fitted !== before.fitted) this.refitted();
    if (refit?.running && !this.asking) this.ask();
  }

  /** Until it is done, whether or not somebody answers meanwhile. */
  async ask() {
    this.asking = true;
    await new Promise((wake) => setTimeout(wake, ASK_MS));
    this.asking = false;
    this.hear(await getJson("/data/progress").catch(() => ({ refit: this.last })));
  }
}

/** What comes next by the new predictions. @param {import("./desk.js").Desk} desk */
export async function rerank(desk) {
  const { order, scope } = desk.choice;
  const ids = await desk.idsOf(order, scope).catch(() => null);
  if (!ids || desk.loading || scope !== desk.choice.scope) return;
  const answered = new Set(desk.outbox.waiting.map(({ image_id }) => image_id));
  desk.queue.reorder(ids.filter((id) => !answered.has(id)));
  desk.show();
  desk.view.announce("The model was fitted again; the queue is in its new order.");
}
