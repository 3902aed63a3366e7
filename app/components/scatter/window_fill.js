// @ts-check
// The plot over the whole window: by its button, by the key F, or because the address says so; Escape takes it back.

import { find } from "../../static/lib/dom.js";
import { WindowFill } from "../../static/lib/window_fill.js";

const FIELDS = "input, textarea, select, [contenteditable]";

export class PlotFill extends WindowFill {
  /**
   * @param {HTMLElement} root
   * @param {() => void} changed the person filled the window or left it
   */
  constructor(root, changed) {
    super(root, ".sa-inspector");
    this.changed = changed;
    this.button = find(root, '[data-part="fill"]', HTMLButtonElement);
    this.button.addEventListener("click", () => this.toggle());
    document.addEventListener("keydown", (event) => this.onKey(event));
  }

  /** @param {boolean} on */
  set(on) {
    super.set(on);
    this.button.setAttribute("aria-pressed", String(on));
    this.button.textContent = on ? "Leave (Esc)" : "Fill window";
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
