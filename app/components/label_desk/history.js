// @ts-check
// What can be undone: what was said on this page, and before it what the app's log has of this person; and what was
// undone and can be said again.

/** @typedef {import("../../static/lib/types.js").Item} Item */
/** @typedef {import("../../static/lib/types.js").Label} Label */
/** @typedef {import("../../static/lib/types.js").PlacedLandmarks} PlacedLandmarks */
/** @typedef {{ source: "human" | "accepted", model_id: number | null, landmarks: PlacedLandmarks | null }} Given how an answer was given */
/** @typedef {{ op_id: string, item: Item, label: Label, previous: Label | null, logged?: number } & Given} Step `logged`: its id in the log */
/** @typedef {{ image_id: number, item?: Item } & Label & Given} TakenBack `item` where it was said on this page */

const FEW = 20;

export class History {
  /**
   * @param {(before: number | null) => Promise<Step[]>} older newest first; none: that was all
   * @param {() => Promise<TakenBack[]>} undone what the log has of it, the last first
   */
  constructor(older, undone = async () => []) {
    this.older = older;
    this.takenBackBefore = undone;
    /** What can be said again, the last undone at the end; null until the log was asked. @type {TakenBack[] | null} */
    this.undone = null;
    /** Oldest first. @type {Step[]} */
    this.steps = [];
    /** Operations said on this page: the log has them too by now. @type {Set<string>} */
    this.said = new Set();
    /** @type {number | null} */
    this.before = null;
    /** @type {Promise<void> | null} */
    this.reading = null;
    this.ended = false;
  }

  /** A new answer; where it is the one that was undone last the others can still be said again. @param {Step} step */
  push(step) {
    const last = this.undone?.at(-1);
    if (last && isSame(last, step)) this.undone?.pop();
    else this.undone = [];
    this.said.add(step.op_id);
    this.steps.push(step);
  }

  /** The last step, which is none any more, and can be said again unless it locked its image. */
  pop() {
    const step = this.steps.pop();
    if (step && !step.item.locked) {
      const { item, label, source, model_id, landmarks } = step;
      this.undone = [...(this.undone ?? []), { image_id: item.image_id, item, ...label, source, model_id, landmarks }];
    }
    this.read();
    return step;
  }

  /** What to say again; push() then takes it off. Throws ApiError. */
  async nextUndone() {
    this.undone ??= (await this.takenBackBefore()).reverse();
    return this.undone.at(-1);
  }

  /** Read older steps where few are left. */
  read() {
    if (this.ended || this.steps.length >= FEW) return Promise.resolve();
    this.reading ??= this.readOlder().finally(() => {
      this.reading = null;
    });
    return this.reading;
  }

  /** A failure is tried again at the next step back. */
  async readOlder() {
    try {
      const found = await this.older(this.before);
      this.ended = !found.length;
      this.before = found.at(-1)?.logged ?? this.before;
      this.steps.unshift(...found.filter(({ op_id }) => !this.said.has(op_id)).reverse());
    } catch {
      // The app cannot be reached: the desk says so.
    }
  }
}

/** @param {TakenBack} undone @param {Step} step */
function isSame({ image_id, value, class_index }, { item, label }) {
  return image_id === item.image_id && value === label.value && class_index === label.class_index;
}
