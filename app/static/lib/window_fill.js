// @ts-check
// One part of a page over the whole window.

export class WindowFill {
  /**
   * @param {HTMLElement} root
   * @param {string} free what stays within reach, because it opens over the part
   */
  constructor(root, free) {
    this.root = root;
    this.free = free;
    this.on = false;
    /** What cannot be reached meanwhile, because the part lies over it. @type {HTMLElement[]} */
    this.covered = [];
  }

  /** @param {boolean} on */
  set(on) {
    if (on === this.on) return;
    this.on = on;
    this.root.toggleAttribute("data-fill", on);
    document.documentElement.toggleAttribute("data-sa-filled", on);
    for (const each of this.covered) each.inert = false;
    this.covered = on ? this.around() : [];
    for (const each of this.covered) each.inert = true;
  }

  /** The elements beside the part and beside all that it lies in. */
  around() {
    const found = [];
    for (let inner = this.root; inner.parentElement && inner !== document.body; inner = inner.parentElement) {
      for (const each of inner.parentElement.children) {
        const free = !(each instanceof HTMLElement) || each === inner || each.inert || each.matches(this.free);
        if (!free) found.push(each);
      }
    }
    return found;
  }
}
