// @ts-check
// Where answers lie until the app has them: in the browser's storage, one entry an operation, by workspace and person.
// It is written before anything is sent, so that a reload, a closed tab or a crash loses none.

/** @typedef {import("../../static/lib/types.js").LabelBody} LabelBody */
/** @typedef {import("../../static/lib/types.js").UndoBody} UndoBody */
/**
 * One answer, or the taking back of one.
 * @typedef {object} Operation
 * @property {"label" | "undo"} kind
 * @property {LabelBody | UndoBody} body as it is sent
 * @property {number} image_id
 * @property {string} sha256 of the image as it was seen
 * @property {"real" | "synthetic"} origin of the image
 * @property {number} adds to the number of labeled images of this origin
 * @property {string} words the answer as a person reads it
 * @property {number} at its place in the order: later than all before, whatever the clock does
 * @property {string} [refused] why the app does not take it
 */

export class OutboxStore {
  /**
   * @param {string} owner whose answers these are: no other owner's name begins with this one and a dot
   * @param {Storage} storage
   */
  constructor(owner, storage) {
    this.prefix = `synthaug.outbox.${owner}.`;
    this.storage = storage;
  }

  /** Keep an operation; false where the storage is full. @param {Operation} operation */
  put(operation) {
    try {
      this.storage.setItem(this.prefix + operation.body.op_id, JSON.stringify(operation));
      return true;
    } catch {
      return false;
    }
  }

  /** @param {Operation} operation */
  remove(operation) {
    this.storage.removeItem(this.prefix + operation.body.op_id);
  }

  /** Everything kept, in the order in which it was said. What cannot be read is left where it is. */
  all() {
    const keys = Array.from({ length: this.storage.length }, (_, index) => this.storage.key(index) ?? "");
    const found = keys.filter((key) => key.startsWith(this.prefix)).map((key) => this.read(key));
    return found.filter((operation) => operation !== null).sort((a, b) => a.at - b.at);
  }

  /** @param {string} key @returns {Operation | null} */
  read(key) {
    try {
      return JSON.parse(this.storage.getItem(key) ?? "null");
    } catch {
      return null;
    }
  }
}
