// @ts-check
// The landmarks of one image while a person moves them, with what can be taken back.

/** @typedef {import("./geometry.js").Places} Places */
/** @typedef {import("../../static/lib/types.js").Proposal} Proposal */

const DECIMALS = 100; // of a pixel: as the log keeps them
const LEAST_RADIUS = 1;

export class Shape {
  /**
   * @param {Proposal} proposal
   * @param {{ width: number, height: number }} size of the image
   */
  constructor(proposal, size) {
    this.proposal = proposal;
    this.size = size;
    /** @type {Places} */
    this.places = proposal.points;
    /** Earlier places, oldest first. @type {Places[]} */
    this.steps = [];
    /** Places that were taken back, the last one at the end. @type {Places[]} */
    this.undone = [];
    /** Whether a person moved anything. */
    this.touched = false;
    /** The same, in what was said. */
    this.touchedBefore = false;
    /** Whether it was said. */
    this.saved = false;
  }

  /** Whether it can be an answer as it is: not where a landmark only begins. */
  get isMeant() {
    return this.touched || this.saved || this.proposal.origin === "answer" || this.proposal.origin === "model";
  }

  /** What follows is one step to take back. */
  begin() {
    this.steps.push(this.places);
  }

  /** A step that moved nothing is none. */
  end() {
    if (this.steps.at(-1) === this.places) this.steps.pop();
  }

  /**
   * Put a landmark's point or centre somewhere, within the image.
   * @param {string} name
   * @param {number} x
   * @param {number} y
   */
  move(name, x, y) {
    const { width, height } = this.size;
    const [, , ...radius] = this.places[name];
    this.put(name, [within(x, width), within(y, height), ...radius]);
  }

  /** @param {string} name @param {number} radius */
  resize(name, radius) {
    const [x, y] = this.places[name];
    const most = Math.max(this.size.width, this.size.height);
    this.put(name, [x, y, Math.max(LEAST_RADIUS, within(radius, most))]);
  }

  /** @param {string} name @param {number[]} place */
  put(name, place) {
    this.places = { ...this.places, [name]: place };
    this.undone = [];
    this.touched = true;
  }

  /** Take the last step back; false where there is none. */
  undo() {
    const before = this.steps.pop();
    if (!before) return false;
    this.undone.push(this.places);
    this.places = before;
    this.touched = this.steps.length > 0 || this.touchedBefore;
    return true;
  }

  /** Repeat the step that was taken back last; false where there is none. */
  redo() {
    const after = this.undone.pop();
    if (!after) return false;
    this.steps.push(this.places);
    this.places = after;
    this.touched = true;
    return true;
  }

  /** Back to what was proposed, as one step. */
  reset() {
    if (this.places === this.proposal.points) return;
    this.begin();
    this.places = this.proposal.points;
    this.undone = [];
  }

  /** It was said: what is moved from now on is taken back to here. */
  keep() {
    this.steps = [];
    this.undone = [];
    this.touchedBefore = this.touched;
    this.saved = true;
  }
}

/** @param {number} value @param {number} most */
function within(value, most) {
  return Math.min(most, Math.max(0, Math.round(value * DECIMALS) / DECIMALS));
}
