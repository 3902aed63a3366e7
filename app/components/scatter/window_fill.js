// @ts-check
// The plot over the whole window: by its button, by the key F, or because the address says so; Escape takes it back.

import { find } from "../../static/lib/dom.js";

const FIELDS = "input, textarea, select, [contenteditable]";

export class WindowFill {
  /**
   * @param {HTMLElement} root
   * @param {() => void} changed the person filled the window or left it
   */
  constructor(root, changed) {
    this.root = root;
    this.changed = changed;
    this.on = false;
    /** What cannot be reached meanwhile, because the plot lies over it. @type {HTMLElement[]} */
    this.covered = [];
    this.button = find(root, '[data-part="fill"]', HTMLButtonElement);
    this.button.addEventListener("click", () => this.toggle());
    document.addEventListener("keydown", (event) => this.onKey(event));
  }

  /** @param {boolean} on */
  set(on) {
    if (on === this.on) return;
    this.on = on;
    this.root.toggleAttribute("data-fill", on);
    this.button.setAttribute("aria-pressed", String(on));
    this.button.textContent = on ? "Leave (Esc)" : "Fill window";
    for (const each of this.covered) each.inert = false;
    this.covered = on ? around(this.root) : [];
    for (const each of this.covered) each.inert = true;
  }

  toggle() {
    this.set(!this.on);
    this.changed();
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const typing =
      event.composedPath()[0] instanceof Element && event.target instanceof Element && event.target.closest(FIELDS);
    if (!this.root.isConnected || typing || event.isComposing || event.repeat) return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.key.toLowerCase() !== "f") return;
    event.preventDefault();
    this.toggle();
  }
}

/** The elements beside `root` and beside all that it lies in, except the inspector, which opens over the plot. @param {HTMLElement} root */
function around(root) {
  const found = [];
  for (let inner = root; inner.parentElement && inner !== document.body; inner = inner.parentElement) {
    for (const each of inner.parentElement.children) {
      const free = !(each instanceof HTMLElement) || each === inner || each.inert || each.matches(".sa-inspector");
      if (!free) found.push(each);
    }
  }
  return found;
}
