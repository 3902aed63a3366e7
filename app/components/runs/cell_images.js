// @ts-check
// The images of one cell of a confusion matrix, below the matrices. A click on an image opens the inspector.

import { fetchItems, getJson, thumbnail } from "../../static/lib/api.js";
import { announce, find, make } from "../../static/lib/dom.js";
import { encodeIds } from "../../static/lib/id_list.js";
import { count } from "../../static/lib/words.js";

const MOST = 100; // images shown here; the link opens all of them on the Explore page

export class CellImages {
  /** @param {HTMLElement} sides the element that contains the matrices */
  constructor(sides) {
    this.sides = sides;
    /** The cell that was opened last. @type {HTMLElement | null} */
    this.cell = null;
  }

  close() {
    this.cell = null;
  }

  /** @param {HTMLElement} cell */
  async open(cell) {
    this.cell?.setAttribute("aria-pressed", "false");
    this.cell = cell;
    cell.setAttribute("aria-pressed", "true");
    const { side = "", true: label = "", predicted = "" } = cell.dataset;
    const query = new URLSearchParams({ side, true: label, predicted });
    try {
      const found = await getJson(`/data/runs/images?${query}`);
      const items = await fetchItems(found.ids.slice(0, MOST));
      if (this.cell === cell) this.show(cell, found, items);
    } catch (error) {
      if (this.cell === cell) this.say(error instanceof Error ? error.message : String(error));
    }
  }

  get place() {
    return find(this.sides, '[data-part="cell"]', HTMLElement);
  }

  /** @param {string} words */
  say(words) {
    this.place.replaceChildren(make("p", "sa-warn", words));
  }

  /**
   * @param {HTMLElement} cell
   * @param {{ ids: number[], times: number[], missing: string }} found
   * @param {import("../../static/lib/types.js").Item[]} items
   */
  show(cell, { ids, times, missing }, items) {
    const title = cell.closest("td")?.title ?? "";
    if (!ids.length) return this.say(missing || "The images of this cell are not known.");
    const seeds = new Map(ids.map((id, i) => [id, times[i]]));
    const tiles = items.map((item) => picture(item, seeds.get(item.image_id) ?? 0));
    const row = make("div", "sa-runs-images", ...tiles);
    row.dataset.saAmong = ids.join();
    const all = make("a", "", `Open ${count(ids.length, "image")} on the Explore page`);
    all.href = `/explore#sel=${encodeIds([...ids].sort((a, b) => a - b))}`;
    const head = make("p", "", make("b", "", title), missing ? make("span", "sa-warn", missing) : null, all);
    this.place.replaceChildren(head, row);
    announce("synthaug:walkable", { ids });
    return undefined;
  }
}

/** @param {import("../../static/lib/types.js").Item} item @param {number} times */
function picture(item, times) {
  const image = make("img");
  image.src = thumbnail(item);
  image.alt = `Image ${item.image_id}`;
  image.loading = "lazy";
  const button = make("button", "", image, times > 1 ? make("span", "", `${times} seeds`) : null);
  button.type = "button";
  button.dataset.saImage = String(item.image_id);
  return button;
}
