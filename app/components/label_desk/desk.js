// @ts-check
// The desk: shows the current image, turns keys and buttons into answers, and never waits for the server.

import { fetchItems, getJson } from "../../static/lib/api.js";
import { announce, closest, find, hear } from "../../static/lib/dom.js";
import { operationId, postSigned, selection } from "../../static/lib/session.js";
import { Landmarks } from "../landmarks/landmarks.js";
import { Choice } from "./choice.js";
import { History } from "./history.js";
import { Outbox, standing } from "./outbox.js";
import { OutboxStore } from "./outbox_store.js";
import { largest, Places, resumeAt } from "./places.js";
import { LabelQueue } from "./queue.js";
import { decoding, knownPerson, olderAnswers, pause } from "./sources.js";
import { DeskView, STRIP } from "./view.js";
import { emptyWords, labelWords, meaningOf, placeWords, rateWords, suggestionOf, timeLeftWords } from "./words.js";

/** @typedef {import("../../static/lib/types.js").Item} Item */
/** @typedef {import("../../static/lib/types.js").Label} Label */
/** @typedef {import("../../static/lib/types.js").LabelValue} LabelValue */
/** @typedef {import("./outbox_store.js").Operation} Operation */
/** @typedef {import("./words.js").Action} Action */
/** @typedef {import("../../static/lib/session.js").Person} Person */
/** @typedef {{ workspace: string, classes: import("./words.js").ClassProps[], orders: [string, string][], scopes: [string, string][] }} Props */

const RELOAD_MS = 2000;
const TIMES_KEPT = 21;
const TYPING = "input:not([type=checkbox]), textarea, select, [contenteditable='true']";
const PRESSABLE = "button, a, summary, input";

class Desk {
  /**
   * @param {HTMLElement} root
   * @param {Props} props
   * @param {Person} person who answers
   */
  constructor(root, { workspace, classes, orders, scopes }, person) {
    this.root = root;
    this.classes = classes;
    this.view = new DeskView(root, classes);
    /** What was said in this session. @type {Map<number, Label | null>} */
    this.said = new Map();
    this.history = new History(olderAnswers);
    /** @type {import("./view.js").Answer[]} */
    this.strip = [];
    /** When the latest answers were given. @type {number[]} */
    this.times = [];
    this.progress = { reviewed: 0, total: 0, real_labeled: 0, real_total: 0 };
    this.seed = 0;
    this.newest = 0;
    this.loading = true;
    this.problem = "";
    this.troubled = false;
    this.choice = new Choice(root, { orders, scopes }, { queue: () => this.load(), smooth: () => this.showPicture() });
    this.landmarks = new Landmarks(root, this.view.viewer, classes);
    this.queue = this.makeQueue();
    const owner = JSON.stringify([workspace, person.name]);
    this.places = new Places(owner, localStorage);
    this.outbox = this.makeOutbox(owner);
    this.jumping = find(root, "[data-jump]", HTMLInputElement);
    this.dialog = find(root, "[data-dialog]", HTMLDialogElement);
    find(root, "[data-annotator]", HTMLElement).textContent = person.name;
    this.listen();
  }

  makeQueue() {
    return new LabelQueue(
      { items: fetchItems, picture: decoding, pause },
      {
        arrived: () => {
          this.setProblem("");
          this.show();
        },
        unreachable: () => this.setProblem("The images cannot be fetched; trying again."),
        decoded: (id) => {
          if (id === this.queue.ids[this.queue.at]) this.showPicture();
        },
      },
    );
  }

  /** @param {string} owner the workspace and the person: nobody's answers are sent under another's name */
  makeOutbox(owner) {
    /** @type {() => void} */
    let wake = () => {};
    hear(this.root, "synthaug:jobs", () => {
      // The shell's polling got an answer: an app that could not be reached is there again.
      if (this.outbox.unreachable) wake();
    });
    /** @param {number} milliseconds @returns {Promise<void>} */
    const sleep = (milliseconds) =>
      new Promise((resolve) => {
        wake = resolve;
        setTimeout(resolve, milliseconds);
      });
    return new Outbox(
      new OutboxStore(owner, localStorage),
      { post: postSigned, items: fetchItems, pause: sleep },
      {
        changed: () => this.showSaved(),
        progress: (progress) => {
          this.progress = progress;
        },
      },
    );
  }

  // ---------------------------------------------------------------- answers

  /** @param {Item} item @returns {Label | null} */
  labelOf(item) {
    const said = this.said.get(item.image_id);
    if (said !== undefined) return said;
    return item.label_value && { value: item.label_value, class_index: item.label_class };
  }

  /**
   * @param {LabelValue} value
   * @param {number | null} class_index
   * @param {"human" | "accepted"} source
   */
  say(value, class_index, source) {
    const item = this.queue.current;
    if (!item)
      return this.view.announce(this.queue.finished ? "Nothing left to review." : "Still loading the next image.");
    const previous = this.labelOf(item);
    const label = { value, class_index };
    const op_id = operationId();
    const landmarks = value === "class" ? this.landmarks.answer(source === "accepted") : null;
    const answer = { image_id: item.image_id, ...label, source: this.landmarks.sourceOf(source), op_id, landmarks };
    this.said.set(item.image_id, label);
    this.history.push({ op_id, item, previous });
    this.strip = [...this.strip, { item, label, op_id }].slice(-STRIP);
    this.times = [...this.times, performance.now()].slice(-TIMES_KEPT);
    this.queue.moveTo(this.queue.at + 1);
    this.show();
    this.showStrip();
    const words = labelWords(label, this.classes);
    this.send("label", item, { ...answer, model_id: item.model_id ?? null }, words, previous ? 0 : 1);
    return this.view.announce(`${words}. ${this.placeWords()}`);
  }

  /** Take back the last answer; where none is known yet, of those that the log has. */
  async undo() {
    let last = this.history.pop();
    if (!last) {
      await this.history.read();
      last = this.history.pop();
    }
    if (last) this.takeBack(last);
    else this.view.announce("Nothing to undo.");
  }

  /** @param {import("./history.js").Step} last */
  takeBack(last) {
    const { item, previous } = last;
    this.said.set(item.image_id, previous);
    this.strip = this.strip.filter(({ op_id }) => op_id !== last.op_id);
    this.times.pop();
    this.goTo(item.image_id);
    this.showStrip();
    const body = { op_id_to_undo: last.op_id, op_id: operationId() };
    this.send("undo", item, body, "Undo", previous ? 0 : -1);
    this.view.announce(`Undone. ${this.placeWords()}`);
  }

  /**
   * @param {Operation["kind"]} kind
   * @param {Item} item
   * @param {Operation["body"]} body
   * @param {string} words
   * @param {number} adds to the reviewed images, where this one is synthetic
   */
  send(kind, { image_id, sha256, origin }, body, words, adds) {
    this.outbox.add({ kind, body, image_id, sha256, words, origin, adds });
  }

  accept() {
    const item = this.queue.current;
    if (item && this.landmarks.obstacle) return this.view.announce(this.landmarks.obstacle);
    const suggested = item ? this.landmarks.classFor(suggestionOf(item), this.labelOf(item)) : null;
    if (item && suggested === null) this.view.announce("There is no suggestion for this image.");
    else this.say("class", suggested, "accepted");
  }

  /** @param {number} by */
  step(by) {
    this.queue.moveTo(this.queue.at + by);
    this.show();
    this.view.announce(this.placeWords());
  }

  /** @param {number} imageId */
  goTo(imageId) {
    this.queue.find(imageId);
    this.show();
  }

  /** @param {Action} action */
  act(action) {
    const actions = {
      accept: () => this.accept(),
      reject: () => this.say("reject", null, "human"),
      unsure: () => this.say("unsure", null, "human"),
      undo: () => this.undo(),
      back: () => this.step(-1),
      skip: () => this.step(1),
      help: () => this.dialog.showModal(),
      grid: () => this.openGrid(),
      reload: () => this.load(),
    };
    actions[action]();
  }

  /** Review the queue a hundred at a time; coming back, the queue is without what was said there. */
  openGrid() {
    const { scope } = this.choice;
    this.root.hidden = true;
    announce("synthaug:grid-review", { scope, ids: scope === "selection" ? selection() : null });
  }

  // ---------------------------------------------------------------- what is seen

  show() {
    const { queue, view } = this;
    const words = emptyWords(this.progress.total, queue.ids.length, this.choice.isOfReal);
    view.showEmpty(queue.finished && !this.loading, words);
    this.landmarks.show(queue.current);
    this.showPicture();
    this.showPlace();
    this.keepPlace();
    if (!queue.current) return;
    view.showItem(queue.current);
    view.showAnswer(this.labelOf(queue.current));
  }

  showPicture() {
    const { ids, at, picture, current } = this.queue;
    this.view.showPicture(ids[at], picture, current, this.choice.smooth);
  }

  showPlace() {
    const { at, ids } = this.queue;
    const now = performance.now();
    const rate = [rateWords(this.times, now), timeLeftWords(this.times, now, ids.length - at)];
    const queue = { at, length: ids.length, rate: rate.filter(Boolean).join(" · ") };
    const { reviewed, total, real_labeled: labeled, real_total: real } = this.progress;
    if (this.choice.isOfReal)
      this.view.showPlace({ done: labeled + this.outbox.adds("real"), total: real, word: "labeled" }, queue);
    else this.view.showPlace({ done: reviewed + this.outbox.adds("synthetic"), total, word: "reviewed" }, queue);
  }

  keepPlace() {
    const { scope, order } = this.choice;
    const { seed, newest, loading } = this;
    if (scope !== "selection" && !loading) this.places.keep(scope, order, { seed, newest, ...this.queue });
  }

  /** Go to the image with a number in the queue. */
  jump() {
    const wanted = Number(this.jumping.value);
    this.jumping.value = "";
    this.jumping.blur();
    if (!Number.isInteger(wanted) || wanted < 1) return;
    this.queue.moveTo(Math.min(wanted, this.queue.ids.length) - 1);
    this.show();
  }

  placeWords() {
    return placeWords(this.queue.at, this.queue.ids.length);
  }

  showStrip() {
    this.view.showStrip(this.strip, (imageId) => this.goTo(imageId));
  }

  showSaved() {
    const { outbox, view } = this;
    const troubled = outbox.failures > 0;
    view.showSaved(standing(outbox), outbox.waiting.length);
    view.showRefused(
      outbox.refused,
      ({ image_id }) => this.goTo(image_id),
      (operation) => outbox.dismiss(operation),
    );
    if (this.troubled !== troubled)
      view.announce(troubled ? "Saving fails. Answers are kept." : standing(outbox).words);
    this.troubled = troubled;
    this.showProblem();
    this.showPlace();
  }

  /** @param {string} text */
  setProblem(text) {
    this.problem = text;
    this.showProblem();
  }

  showProblem() {
    const { full, failures, trouble } = this.outbox;
    const kept = full
      ? "This browser's storage is full: keep this page open until all is saved."
      : failures
        ? `Not saved yet: ${trouble}. The answers are kept in this browser and sent again.`
        : "";
    this.view.showProblem([kept, this.problem].filter(Boolean).join(" "));
  }

  // ---------------------------------------------------------------- keys and buttons

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const target = event.composedPath()[0];
    const element = target instanceof Element ? target : null;
    if (element?.matches(TYPING) || this.dialog.open || this.root.hidden || !this.root.isConnected) return;
    if ((event.key === "Enter" || event.key === " ") && element?.matches(PRESSABLE)) return;
    if (this.landmarks.onKey(event) || this.view.viewer.onKey(event)) return event.preventDefault();
    if (event.ctrlKey && event.key === "g") {
      event.preventDefault();
      return this.jumping.focus();
    }
    const meaning = meaningOf(event, this.classes);
    if (meaning === null) return;
    event.preventDefault();
    if (typeof meaning === "number") this.say("class", meaning, "human");
    else this.act(meaning);
  }

  /** @param {MouseEvent} event */
  onClick(event) {
    const button = closest(event, "[data-do], [data-class]");
    if (!(button instanceof HTMLButtonElement) || button.disabled) return;
    if (button.dataset.class) this.say("class", Number(button.dataset.class), "human");
    else this.act(/** @type {Action} */ (button.dataset.do));
  }

  listen() {
    document.addEventListener("keydown", (event) => this.onKey(event));
    hear(this.root, "synthaug:desk", () => {
      this.root.hidden = false;
      this.load();
    });
    this.root.addEventListener("click", (event) => this.onClick(event));
    // A button pressed with the mouse does not take the keys away from the desk.
    this.root.addEventListener("pointerdown", (event) => {
      if (closest(event, "button")) event.preventDefault();
    });
    this.jumping.addEventListener("change", () => this.jump());
    window.addEventListener("beforeunload", (event) => {
      if (this.outbox.waiting.length) event.preventDefault();
    });
  }

  // ---------------------------------------------------------------- starting

  /** What an earlier page left is saved first: until then it would come up for review once more. */
  async start() {
    this.showStrip();
    this.showSaved();
    await Promise.race([this.outbox.send(), this.outbox.firstFailure]);
    await this.load();
    await this.history.read();
  }

  async load() {
    const { order, scope } = this.choice;
    this.loading = true;
    const place = this.places.of(scope, order);
    this.seed = place?.seed ?? Math.floor(Math.random() * 2 ** 31);
    try {
      const progressed = getJson("/data/progress");
      const [ids, progress] = await Promise.all([this.idsOf(order, scope), progressed, this.landmarks.load()]);
      this.progress = progress;
      this.loading = false;
      this.newest = largest(ids);
      this.queue.replace(ids, resumeAt(place, ids, order));
      this.setProblem("");
      this.queue.lookAhead();
      this.show();
      this.root.dataset.ready = "true";
    } catch (error) {
      this.setProblem(`The queue cannot be read: ${error instanceof Error ? error.message : error}. Trying again.`);
      setTimeout(() => this.load(), RELOAD_MS);
    }
  }

  /**
   * @param {string} order
   * @param {string} scope
   * @returns {Promise<number[]>}
   */
  async idsOf(order, scope) {
    if (scope === "selection") return selection();
    const seed = String(this.seed);
    return (await getJson(`/data/queue?${new URLSearchParams({ order, scope, seed })}`)).ids;
  }
}

/** @param {import("../../static/lib/types.js").Component} component */
export async function mount({ element, props }) {
  new Desk(find(element, ".ld", HTMLElement), props, await knownPerson()).start();
}
