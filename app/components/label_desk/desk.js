// @ts-check
// The desk: shows the current image, turns keys and buttons into answers, and never waits for the server.

import { fetchItems, getJson } from "../../static/lib/api.js";
import { announce, closest, find, hear } from "../../static/lib/dom.js";
import { operationId, selection } from "../../static/lib/session.js";
import { Landmarks } from "../landmarks/landmarks.js";
import { Beside } from "../viewer/beside.js";
import { accept } from "./accept.js";
import { Choice, scopesOf } from "./choice.js";
import { Filter } from "./filter.js";
import { History } from "./history.js";
import { Jump } from "./jump.js";
import { KeyEditor } from "./key_editor.js";
import { KeyMap } from "./keymap.js";
import { keepLeases } from "./leases.js";
import { answered, LOCKED, Lock } from "./lock.js";
import { Notes } from "./notes.js";
import { largest, Places, resumeAt } from "./places.js";
import { ALONE, LabelQueue, SHARED } from "./queue.js";
import { Refitting, rerank } from "./refit.js";
import { Saving } from "./saving.js";
import { decoding, knownPerson, leased, olderAnswers, pause, takenBack } from "./sources.js";
import { redo, undo } from "./undo.js";
import { DeskView, STRIP } from "./view.js";
import { conflictsEndWords, emptyWords, labelWords, placeWords, rateWords, timeLeftWords } from "./words.js";

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

export class Desk {
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
    this.history = new History(olderAnswers, takenBack);
    /** @type {import("./view.js").Answer[]} */
    this.strip = [];
    /** When the latest answers were given. @type {number[]} */
    this.times = [];
    this.progress = { reviewed: 0, total: 0, real_labeled: 0, real_total: 0 };
    this.seed = 0;
    this.newest = 0;
    this.loading = true;
    this.person = person;
    this.choice = new Choice(
      root,
      { orders, scopes: scopesOf(person, scopes) },
      { queue: () => this.load(), smooth: () => this.showPicture() },
    );
    const owner = JSON.stringify([workspace, person.name]);
    this.filter = new Filter(root, classes, owner, () => this.load());
    this.notes = new Notes(root, person.name, (problem) => this.saving.setProblem(problem));
    this.landmarks = new Landmarks(root, this.view.viewer, classes, {
      reviewer: person.role !== "annotator",
      goTo: (imageId) => this.goTo(imageId),
      changed: () => this.load(),
      corrected: (imageId) => this.corrected(imageId),
    });
    this.lock = new Lock(root, classes, (imageId) => this.corrected(imageId));
    this.beside = new Beside(root, this.view.viewer, { picture: decoding, toggled: () => this.showPicture() });
    this.queue = this.makeQueue();
    this.places = new Places(owner, localStorage);
    this.keys = new KeyMap(classes, owner);
    new KeyEditor(root, this.keys);
    this.saving = new Saving(root, this.view, owner, fetchItems, {
      changed: () => this.showPlace(),
      progress: (progress) => {
        this.progress = progress;
        this.refitting.hear(progress);
      },
      goTo: (imageId) => this.goTo(imageId),
    });
    this.outbox = this.saving.outbox;
    this.refitting = new Refitting(root, () => rerank(this));
    this.jumping = new Jump(root, (number) => this.jump(number));
    this.dialog = find(root, "[data-dialog]", HTMLDialogElement);
    find(root, "[data-annotator]", HTMLElement).textContent = person.name;
    this.listen();
  }

  makeQueue() {
    return new LabelQueue(
      { items: (ids) => leased(ids, this.choice.scope), picture: decoding, pause },
      {
        arrived: () => {
          this.saving.setProblem("");
          this.show();
        },
        unreachable: () => this.saving.setProblem("The images cannot be fetched; trying again."),
        decoded: (id) => {
          if (id === this.queue.ids[this.queue.at]) this.showPicture();
        },
      },
      this.person.shared ? SHARED : ALONE,
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
    if (item?.locked && source === "human") return this.view.announce(LOCKED);
    const landmarks = value === "class" ? this.landmarks.answer(source === "accepted") : null;
    const given = { source: this.landmarks.sourceOf(source), model_id: this.landmarks.modelOf(item), landmarks };
    if (item) return this.answer(item, { value, class_index }, given);
    return this.view.announce(this.queue.finished ? "Nothing left to review." : "Still loading the next image.");
  }

  /**
   * Answer the present image, and go on.
   * @param {Item} item
   * @param {Label} label
   * @param {import("./history.js").Given} given
   */
  answer(item, label, given) {
    const previous = this.labelOf(item);
    const op_id = operationId();
    const settles = this.choice.scope === "conflicts";
    const answer = { image_id: item.image_id, ...label, ...given, op_id, seen: previous, settles };
    this.said.set(item.image_id, label);
    const now = answered(item, label, given.landmarks);
    this.queue.items.set(item.image_id, now);
    this.history.push({ op_id, item: now, label, ...given, previous });
    this.strip = [...this.strip, { item, label, op_id }].slice(-STRIP);
    this.times = [...this.times, performance.now()].slice(-TIMES_KEPT);
    this.queue.moveTo(this.queue.at + 1);
    this.show();
    this.showStrip();
    const words = labelWords(label, this.classes);
    this.send("label", item, answer, words, previous ? 0 : 1);
    return this.view.announce(`${words}. ${this.placeWords()}`);
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

  /** An owner gave a locked image another answer. @param {number} imageId */
  corrected(imageId) {
    this.said.delete(imageId);
    this.load();
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
      accept: () => accept(this),
      reject: () => this.say("reject", null, "human"),
      unsure: () => this.say("unsure", null, "human"),
      undo: () => undo(this),
      redo: () => redo(this),
      flag: () => this.notes.flag(),
      back: () => this.step(-1),
      skip: () => this.step(1),
      help: () => this.dialog.showModal(),
      beside: () => this.beside.toggle(),
      grid: () => this.openGrid(),
      guideline: () => announce("synthaug:guideline"),
      readers: () => announce("synthaug:readers"),
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
    view.showEmpty(queue.finished && !this.loading, this.endWords());
    this.landmarks.show(queue.current);
    this.notes.show(queue.current);
    this.showPicture();
    this.showPlace();
    this.keepPlace();
    if (!queue.current) return;
    this.beside.show(queue.current);
    view.showItem(queue.current);
    this.lock.show(queue.current);
    const { image_id, readings } = queue.current;
    const isOpen = readings?.length && !this.said.has(image_id); // what counts is not this person's answer
    view.showAnswer(isOpen ? null : this.labelOf(queue.current));
  }

  /** Why there is nothing to look at. */
  endWords() {
    const { length } = this.queue.ids;
    if (this.choice.scope === "conflicts") return conflictsEndWords(length);
    return emptyWords(this.progress.total, length, this.choice.isOfReal, this.person.shared);
  }

  showPicture() {
    const { ids, at, picture, current } = this.queue;
    this.view.showPicture(ids[at], picture, current, this.choice.smooth, this.beside.isOpen);
  }

  showPlace() {
    const { at, ids } = this.queue;
    const now = performance.now();
    const rate = [rateWords(this.times, now), timeLeftWords(this.times, now, ids.length - at)];
    const queue = { at, length: ids.length, rate: rate.filter(Boolean).join(" · ") };
    const { reviewed, total, real_labeled: labeled, real_total: real } = this.progress;
    if (this.choice.isOfReal || total === 0)
      this.view.showPlace({ done: labeled + this.outbox.adds("real"), total: real, word: "labeled" }, queue);
    else this.view.showPlace({ done: reviewed + this.outbox.adds("synthetic"), total, word: "reviewed" }, queue);
  }

  keepPlace() {
    const { scope, order } = this.choice;
    const { seed, newest, loading } = this;
    if (scope !== "selection" && !loading) this.places.keep(scope, order, { seed, newest, ...this.queue });
  }

  /** @param {number} number of an image in the queue; the first is 1 */
  jump(number) {
    this.queue.moveTo(Math.min(number, this.queue.ids.length) - 1);
    this.show();
  }

  placeWords() {
    return placeWords(this.queue.at, this.queue.ids.length);
  }

  showStrip() {
    this.view.showStrip(this.strip, (imageId) => this.goTo(imageId));
  }

  // ---------------------------------------------------------------- keys and buttons

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const target = event.composedPath()[0];
    const element = target instanceof Element ? target : null;
    if (
      element?.matches(TYPING) ||
      document.querySelector("dialog:modal") ||
      this.root.hidden ||
      !this.root.isConnected
    )
      return;
    if ((event.key === "Enter" || event.key === " ") && element?.matches(PRESSABLE)) return;
    if (this.landmarks.onKey(event) || this.view.viewer.onKey(event)) return event.preventDefault();
    if (event.key === "/") {
      event.preventDefault();
      return this.beside.toggle();
    }
    if (event.ctrlKey && event.key === "g") {
      event.preventDefault();
      return this.jumping.focus();
    }
    const meaning = this.keys.meaningOf(event);
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
    hear(this.root, "synthaug:reading", () => this.load());
    hear(this.root, "synthaug:desk", () => {
      this.root.hidden = false;
      this.load();
    });
    this.root.addEventListener("click", (event) => this.onClick(event));
    // A button pressed with the mouse does not take the keys away from the desk.
    this.root.addEventListener("pointerdown", (event) => {
      if (closest(event, "button")) event.preventDefault();
    });
    keepLeases(() => this.queue.renew());
    window.addEventListener("beforeunload", (event) => {
      if (this.outbox.waiting.length) event.preventDefault();
    });
  }

  // ---------------------------------------------------------------- starting

  /** What an earlier page left is saved first: until then it would come up for review once more. */
  async start() {
    this.showStrip();
    this.saving.show();
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
      this.refitting.hear(progress);
      this.loading = false;
      this.newest = largest(ids);
      this.queue.replace(ids, resumeAt(place, ids, order));
      this.saving.setProblem("");
      this.queue.lookAhead();
      this.show();
      this.root.dataset.ready = "true";
    } catch (error) {
      this.saving.setProblem(
        `The queue cannot be read: ${error instanceof Error ? error.message : error}. Trying again.`,
      );
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
    const query = new URLSearchParams({ order, scope, seed: String(this.seed), ...this.filter.query });
    return (await getJson(`/data/queue?${query}`)).ids;
  }
}

/** @param {import("../../static/lib/types.js").Component} component */
export async function mount({ element, props }) {
  new Desk(find(element, ".ld", HTMLElement), props, await knownPerson()).start();
}
