// @ts-check
// The field that goes to the image with a number in the queue.

import { find } from "../../static/lib/dom.js";

export class Jump {
  /**
   * @param {HTMLElement} desk
   * @param {(number: number) => void} go the first is 1
   */
  constructor(desk, go) {
    this.field = find(desk, "[data-jump]", HTMLInputElement);
    this.field.addEventListener("change", () => {
      const wanted = Number(this.field.value);
      this.field.value = "";
      this.field.blur(); // the keys belong to the desk again
      if (Number.isInteger(wanted) && wanted >= 1) go(wanted);
    });
  }

  focus() {
    this.field.focus();
  }
}
