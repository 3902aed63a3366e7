// @ts-check
// The guideline beside the image, the settings of reading, and the agreement of the readers. Events on document:
//   in   synthaug:guideline   open or close the guideline
//   in   synthaug:readers     open settings and agreement
//   out  synthaug:reading     the settings changed

import { getJson, postJson } from "../../static/lib/api.js";
import { announce, closest, find, hear, make } from "../../static/lib/dom.js";
import { agreementView } from "./agreement_view.js";
import { blocksOf } from "./markdown.js";

/** @typedef {{ blind: boolean, second_share: number, guideline: string, refit_every: number }} Settings */
/** @typedef {import("./markdown.js").Block} Block */

class ReadingPanels {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.panel = find(root, "[data-part=guideline-panel]", HTMLDialogElement);
    this.readers = find(root, "[data-part=readers]", HTMLDialogElement);
    this.form = find(root, "[data-part=settings]", HTMLFormElement);
    this.editor = find(root, "[data-part=editor]", HTMLFormElement);
    this.text = find(root, "[data-part=text]", HTMLTextAreaElement);
    /** @type {Settings} */
    this.settings = { blind: false, second_share: 0, guideline: "", refit_every: 0 };
    hear(root, "synthaug:guideline", () => (this.panel.open ? this.panel.close() : this.openGuideline()));
    hear(root, "synthaug:readers", () => this.openReaders());
    root.addEventListener("click", (event) => this.onClick(event));
    this.form.addEventListener("submit", (event) => this.onSave(event, this.changes()));
    this.editor.addEventListener("submit", (event) => this.onSave(event, { guideline: this.text.value }));
  }

  /** @param {string} name */
  part(name) {
    return find(this.root, `[data-part="${name}"]`, HTMLElement);
  }

  async openGuideline() {
    this.settings = await getJson("/data/reading");
    this.showGuideline();
    this.edit(false);
    this.panel.show();
  }

  async openReaders() {
    this.settings = await getJson("/data/reading");
    this.showSettings();
    this.say("");
    this.part("agreement").replaceChildren(make("p", "sa-note", "Computing the agreement …"));
    this.readers.showModal();
    this.part("agreement").replaceChildren(agreementView(await getJson("/data/agreement")));
  }

  showGuideline() {
    const none = "There is no guideline yet. An owner of this workspace can write one.";
    const blocks = blocksOf(this.settings.guideline);
    this.part("guideline").replaceChildren(...(blocks.length ? grouped(blocks) : [make("p", "sa-muted", none)]));
  }

  showSettings() {
    const { blind, second_share: share, refit_every: every } = this.settings;
    this.field("blind").checked = blind;
    this.field("second_share").value = String(Math.round(100 * share));
    this.field("refit_every").value = String(every);
  }

  /** @param {string} name */
  field(name) {
    return find(this.form, `[name=${name}]`, HTMLInputElement);
  }

  changes() {
    return {
      blind: this.field("blind").checked,
      second_share: this.field("second_share").valueAsNumber / 100,
      refit_every: this.field("refit_every").valueAsNumber,
    };
  }

  /** @param {boolean} on */
  edit(on) {
    this.text.value = this.settings.guideline;
    this.editor.hidden = !on;
    this.part("guideline").hidden = on;
    if (on) this.text.focus();
  }

  /** @param {Event} event @param {Partial<Settings>} changes */
  async onSave(event, changes) {
    event.preventDefault();
    try {
      this.settings = await postJson("/data/reading", changes);
      this.say("Saved");
      this.showGuideline();
      this.edit(false);
      announce("synthaug:reading");
    } catch (error) {
      this.say(`Not saved: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** @param {string} text */
  say(text) {
    this.part("status").textContent = text;
  }

  /** @param {MouseEvent} event */
  onClick(event) {
    const action = closest(event, "[data-do]")?.dataset.do;
    if (action === "edit") this.edit(true);
    if (action === "cancel") this.edit(false);
    if (action === "close-guideline") this.panel.close();
    if (action === "close-readers") this.readers.close();
  }
}

/** The elements of the guideline; adjacent list items are put into one list. @param {Block[]} blocks */
function grouped(blocks) {
  /** @type {HTMLElement[]} */
  const elements = [];
  for (const { kind, spans, ordered } of blocks) {
    const element = make(kind, "", ...spans.map(span));
    const tag = ordered ? "OL" : "UL";
    const last = elements.at(-1);
    if (kind !== "li") elements.push(element);
    else if (last?.tagName === tag) last.append(element);
    else elements.push(make(ordered ? "ol" : "ul", "", element));
  }
  return elements;
}

/** @param {import("./markdown.js").Span} each */
function span(each) {
  if (each.kind === "text") return document.createTextNode(each.text);
  if (each.kind !== "link") return make(each.kind, "", each.text);
  const link = make("a", "", each.text);
  link.href = each.href;
  link.target = "_blank";
  link.rel = "noreferrer";
  return link;
}

/** @param {import("../../static/lib/types.js").Component} component */
export function mount({ element }) {
  new ReadingPanels(find(element, ".rd", HTMLElement));
}
