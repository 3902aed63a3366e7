// @ts-check
// What the scatter selected, and what can be done to all of it at once. Events on document:
//   out  synthaug:grid                      a grid has come and wants to be told what is selected
//   in   synthaug:selected {points, data, queue}   `queue`: the suspects that they are, in their order, or null
//   in   synthaug:filtered {data}           the plot shows other points, and none is selected
//   both synthaug:labeled                   label and state of some points were changed in the columns
//   out  synthaug:peek     {point | null}   the point under the pointer
//   in   synthaug:inspector                 the drawer has come and wants to be told what is walkable
//   out  synthaug:walkable {ids}            the images in the order of the tiles
//   out  synthaug:inspect  {key}            open this image
//   in   synthaug:inspecting {id | null}    the image that is open now

import { announce, closest, find, hear } from "../../static/lib/dom.js";
import { review } from "../../static/lib/session.js";
import { count, number } from "../../static/lib/words.js";
import { NONE, SYNTHETIC } from "../scatter/points.js";
import { batchOf } from "./batches.js";
import { classControls } from "./class_buttons.js";
import { Decisions } from "./decisions.js";
import { isLocked, markedAtFirst, sorted, summary, title } from "./order.js";
import { PointSet } from "./point_set.js";
import { mostSuspicious } from "./suspicion.js";
import { Tiles } from "./tiles.js";

/** @typedef {import("../../static/lib/types.js").LabelValue} LabelValue */
/** @typedef {import("../../static/lib/types.js").Queue} Queue */
/** @typedef {import("../scatter/points.js").Header} Header */
/** @typedef {import("../scatter/points.js").Points} Points */
/** @typedef {import("../scatter/model.js").PlotModel} PlotModel */

const MOST_USUAL = 10_000; // images that are shown while nothing is selected
const SOON_MS = 100; // after the plot, whose first paint waits for nothing
const ON_MARKED =
  "[data-class], [data-do=prompted], [data-do=reject], [data-do=unsure], [data-do=review], [data-do=tag], [data-do=untag]";

class Grid {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.order = find(root, '[data-part="sort"]', HTMLSelectElement);
    this.tiles = new Tiles(this.part("scroller"), this.part("canvas"), {
      problem: (message) => this.decisions.say(message, "bad"),
      toggled: (tile, through) => this.toggle(tile, through),
      opened: (tile) => this.open(tile),
      painted: () => {
        root.dataset.painted = String(this.points.length);
        performance.mark("synthaug:grid-painted");
      },
    });
    this.decisions = new Decisions(root, () => this.showActions());
    /** @type {Points | null} */
    this.data = null;
    /** @type {number[]} */
    this.points = [];
    this.marked = new PointSet(0, []);
    this.anchor = -1;
    /** The place of the image that is open, or was before the walk left the grid; -1 where none was opened from a tile. */
    this.opened = -1;
    this.soon = 0;
    /** What is shown, and the order of each kind. @type {keyof Grid["orders"]} */
    this.kind = "usual";
    this.orders = { usual: "suspicious", selected: "newest", queue: "given" };
    this.listen();
    this.showActions();
  }

  /** @param {string} name */
  part(name) {
    return find(this.root, `[data-part="${name}"]`, HTMLElement);
  }

  // ---------------------------------------------------------------- the selection

  /**
   * @param {number[]} points
   * @param {PlotModel | null} data
   * @param {Queue | null} queue
   */
  receive(points, data, queue) {
    clearTimeout(this.soon);
    this.take(points, data, queue, queue ? "queue" : "selected");
    this.part("title").textContent = queue ? `${queue.title}: ${title(points)}` : title(points);
    this.part("summary").textContent = queue ? queue.note : data ? summary(data, points) : "";
    if (data && !points.length && !queue) this.soon = window.setTimeout(() => this.showUsual(data), SOON_MS);
  }

  /** Nothing is selected: what the plot shows, the most suspicious first. @param {PlotModel} data */
  showUsual(data) {
    const points = mostSuspicious(data.columns, data.visible, MOST_USUAL);
    this.take(points, data, null, "usual");
    this.mark(() => false);
    const some = points.length < data.shownCount;
    this.part("title").textContent = some
      ? `The ${number(points.length)} most suspicious of ${number(data.shownCount)} images shown`
      : `${count(points.length, "image")} shown, the most suspicious first`;
    this.part("summary").textContent =
      "Synthetic images far from real ones, and confident predictions that contradict the class. Draw a loop to choose.";
  }

  /**
   * @param {number[]} points
   * @param {PlotModel | null} data
   * @param {Queue | null} queue
   * @param {keyof Grid["orders"]} kind
   */
  take(points, data, queue, kind) {
    if (data?.header !== this.data?.header) {
      this.part("classes").replaceChildren(...classControls(data?.header.classes ?? []));
    }
    if (data?.columns !== this.data?.columns) this.decisions.batches = [];
    this.data = data;
    this.points = points;
    this.marked = data ? markedAtFirst(data.columns, points) : new PointSet(0, []);
    this.tiles.captions = new Map();
    this.setKind(kind);
    this.takeQueue(queue);
    this.root.dataset.state = points.length ? "filled" : "empty";
    delete this.root.dataset.painted;
    this.tiles.awaitingPaint = points.length > 0 && kind !== "usual"; // which is no selection
    this.sort();
  }

  /** Another kind of set has its own order, as it was left. @param {keyof Grid["orders"]} kind */
  setKind(kind) {
    if (this.kind !== "queue") this.orders[this.kind] = this.order.value;
    this.kind = kind;
    const given = find(this.root, '[data-part="sort"] option[value="given"]', HTMLOptionElement);
    given.hidden = given.disabled = kind !== "queue";
    this.order.value = this.orders[kind];
  }

  /** Suspects come in an order of their own, with words on each, and say which of them are meant. @param {Queue | null} queue */
  takeQueue(queue) {
    if (!queue || !this.data) return;
    const { ids } = this.data.columns;
    const point = new Map(this.points.map((each) => [ids[each], each]));
    /** @param {number[]} images */
    const known = (images) => images.flatMap((id) => point.get(id) ?? []);
    this.points = known(queue.ids);
    const meant = known(queue.marked).filter((each) => this.data && !isLocked(this.data.columns, each));
    if (queue.marked.length) this.marked = new PointSet(ids.length, meant);
    this.tiles.captions = new Map(
      queue.ids.flatMap((id, i) => (point.has(id) ? [[Number(point.get(id)), queue.captions[i]]] : [])),
    );
  }

  sort() {
    this.anchor = -1;
    const order = this.data ? sorted(this.data.columns, this.points, this.order.value) : [];
    this.tiles.show(this.data, order, this.marked);
    this.tellWalkable();
    this.showActions();
  }

  tellWalkable() {
    announce("synthaug:walkable", { ids: idsOf(this.tiles.order, this.data) });
  }

  // ---------------------------------------------------------------- marking

  /** @param {(data: Points, point: number) => boolean} wanted */
  mark(wanted) {
    const { data } = this;
    if (!data) return;
    this.marked.clear();
    for (const point of this.points) {
      if (!isLocked(data.columns, point) && wanted(data, point)) this.marked.add(point);
    }
    this.refresh();
  }

  refresh() {
    this.tiles.refresh();
    this.showActions();
  }

  /** The box of a tile marks it, its picture opens it; with Ctrl or Shift the picture marks too. @param {MouseEvent} event */
  onTile(event) {
    const tile = this.tiles.tileAt(event);
    if (!tile) return;
    const boxed = closest(event, ".sa-grid-mark") !== null;
    if (boxed || event.shiftKey || event.ctrlKey || event.metaKey) this.toggle(tile, event.shiftKey);
    else this.open(tile);
  }

  /** @param {import("./tiles.js").Tile} tile */
  open(tile) {
    if (!this.data) return;
    this.opened = tile.place;
    announce("synthaug:inspect", { key: this.data.columns.ids[tile.point] });
  }

  /** The tile of the image that was looked at last has the focus when that image is closed. @param {number | null} id */
  follow(id) {
    if (this.opened < 0 || !this.data) return;
    const { ids } = this.data.columns;
    const place = this.tiles.order.findIndex((point) => ids[point] === id);
    if (place >= 0) {
      this.opened = place;
      this.tiles.reveal(place);
    }
    if (id !== null) return;
    this.tiles.focus(this.opened);
    this.opened = -1;
  }

  /**
   * Mark or unmark a tile, or everything from the tile before to this one.
   * @param {import("./tiles.js").Tile} tile
   * @param {boolean} through
   */
  toggle(tile, through) {
    if (this.decisions.busy || !this.data) return;
    const { columns } = this.data;
    const on = !this.marked.has(tile.point);
    const [from, to] = [through && this.anchor >= 0 ? this.anchor : tile.place, tile.place].sort((a, b) => a - b);
    for (const point of this.tiles.order.slice(from, to + 1)) {
      if (isLocked(columns, point)) continue;
      if (on) this.marked.add(point);
      else this.marked.delete(point);
    }
    this.anchor = tile.place;
    this.refresh();
  }

  // ---------------------------------------------------------------- what is seen of the actions

  showActions() {
    const { busy, batches } = this.decisions;
    const last = batches.at(-1);
    this.part("marked").textContent = this.points.length ? `${number(this.marked.size)} marked` : "";
    for (const button of this.root.querySelectorAll(ON_MARKED)) {
      button.toggleAttribute("disabled", busy || !this.marked.size);
    }
    const undoing = find(this.root, "[data-do=undo]", HTMLButtonElement);
    undoing.hidden = !last;
    undoing.disabled = busy;
    if (last) undoing.textContent = `Undo "${last.name}" (${number(last.entries.length)})`;
  }

  // ---------------------------------------------------------------- buttons and the rest of the page

  /**
   * @param {string} name
   * @param {LabelValue} value
   * @param {"human" | "accepted"} source
   * @param {(point: number) => number | null} classOf
   */
  record(name, value, source, classOf = () => null) {
    if (!this.data) return;
    const points = this.tiles.order.filter((point) => this.marked.has(point));
    const batch = batchOf(name, this.data, points, value, source, classOf);
    if (batch.entries.length) this.decisions.save(batch);
    else this.decisions.say("None of the marked images was made for a class.", "warn");
  }

  /** @param {MouseEvent} event */
  onClick(event) {
    const button = closest(event, "[data-class], [data-do]");
    const { data } = this;
    if (!(button instanceof HTMLButtonElement) || this.decisions.busy || !data) return;
    const { class: index, do: action } = button.dataset;
    if (index !== undefined) {
      this.record(`label as ${data.header.classes[Number(index)]}`, "class", "human", () => Number(index));
    } else if (action) this.act(action, data);
  }

  /** @param {Points["columns"]} columns @param {boolean} on */
  tag({ ids }, on) {
    this.decisions.tag(
      Array.from(this.marked, (point) => ids[point]),
      on,
    );
  }

  /**
   * @param {string} action
   * @param {Points} data
   */
  act(action, { columns }) {
    /** @param {number} point */
    const prompted = (point) => (columns.prompted[point] === NONE ? null : columns.prompted[point]);
    /** @type {Record<string, () => void>} */
    const actions = {
      all: () => this.mark(() => true),
      none: () => this.mark(() => false),
      synthetic: () => this.mark((_, point) => columns.origin[point] === SYNTHETIC),
      disputed: () => this.mark((_, point) => ![null, columns.predicted[point]].includes(prompted(point))),
      prompted: () => this.record("keep the prompted class", "class", "accepted", prompted),
      reject: () => this.record("reject", "reject", "human"),
      unsure: () => this.record("unsure", "unsure", "human"),
      undo: () => this.decisions.undo(),
      tag: () => this.tag(columns, true),
      untag: () => this.tag(columns, false),
      review: () => {
        const points = this.tiles.order.filter((point) => this.marked.has(point));
        review(
          points.map((point) => columns.ids[point]),
          "explore",
        );
      },
    };
    actions[action]?.();
  }

  listen() {
    const { canvas } = this.tiles;
    const peek = (/** @type {number | null} */ point) => announce("synthaug:peek", { point });
    canvas.addEventListener("click", (event) => this.onTile(event));
    canvas.addEventListener("pointerover", (event) => peek(this.tiles.tileAt(event)?.point ?? null));
    canvas.addEventListener("pointerleave", () => peek(null));
    canvas.addEventListener("focusin", (event) => peek(this.tiles.tileAt(event)?.point ?? null));
    canvas.addEventListener("focusout", () => peek(null));
    this.root.addEventListener("click", (event) => this.onClick(event));
    this.order.addEventListener("change", () => this.sort());
    hear(this.root, "synthaug:labeled", () => this.refresh());
    hear(this.root, "synthaug:inspector", () => this.tellWalkable());
    hear(this.root, "synthaug:inspecting", ({ id }) => this.follow(id));
    hear(this.root, "synthaug:filtered", ({ data }) => this.receive([], data, null));
    hear(this.root, "synthaug:selected", ({ points, data, queue }) => this.receive(points, data, queue));
  }
}

/** @param {number[]} order @param {Points | null} data */
function idsOf(order, data) {
  const found = new Uint32Array(data ? order.length : 0);
  for (let place = 0; place < found.length; place++) found[place] = data?.columns.ids[order[place]] ?? 0;
  return found;
}

/** @param {import("../../static/lib/types.js").Component} component */
export function mount({ element }) {
  new Grid(find(element, ".sa-grid", HTMLElement));
  announce("synthaug:grid");
}
