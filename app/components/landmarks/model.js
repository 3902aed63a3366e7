// @ts-check
// The landmark model on the Label page: what it could learn from now, the button that trains it, and its report.

import { getJson } from "../../static/lib/api.js";
import { announce, find } from "../../static/lib/dom.js";
import { postSigned } from "../../static/lib/session.js";
import { canTrain, standingWords } from "./agreement.js";
import { reportOf } from "./report.js";

/** @typedef {import("../../static/lib/types.js").LandmarkStanding} Standing */
/** @typedef {import("./geometry.js").Scheme} Scheme */

const ASK_MS = 1500; // while it is trained
const SETTLE_MS = 1500; // after an answer, until it is counted
export const ADDRESS = "#landmark-model";

export class LandmarkModel {
  /**
   * @param {HTMLElement} desk
   * @param {{ goTo: (imageId: number) => void, trained: () => void }} listeners
   */
  constructor(desk, listeners) {
    this.desk = desk;
    this.listeners = listeners;
    this.line = find(desk, "[data-lm-model]", HTMLElement);
    this.dialog = find(desk, "[data-lm-report-dialog]", HTMLDialogElement);
    /** @type {Scheme | null} */
    this.scheme = null;
    /** @type {Standing | null} */
    this.standing = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    for (const button of desk.querySelectorAll("[data-lm-train]")) button.addEventListener("click", () => this.train());
    find(this.line, "[data-lm-report]", HTMLButtonElement).addEventListener("click", () => this.open());
    this.dialog.addEventListener("keydown", (event) => event.stopPropagation());
  }

  /** @param {Scheme} scheme */
  async begin(scheme) {
    this.scheme = scheme;
    this.line.hidden = false;
    await this.ask();
    if (location.hash === ADDRESS) this.open();
  }

  /** An answer was given: count again when it has arrived. */
  answered() {
    if (this.scheme) this.later(SETTLE_MS);
  }

  /** @param {number} milliseconds */
  later(milliseconds) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), milliseconds);
  }

  async ask() {
    const before = this.standing;
    const { standing } = await getJson("/data/landmarks/model").catch(() => ({ standing: before }));
    this.standing = standing;
    this.show();
    if (standing?.job?.state === "queued" || standing?.job?.state === "running") this.later(ASK_MS);
    else if (isOpen(before) && standing?.job?.state === "done") this.listeners.trained();
  }

  async train() {
    this.say("");
    try {
      await postSigned("/data/landmarks/model", {});
      announce("synthaug:poll");
    } catch (error) {
      this.say(error instanceof Error ? error.message : String(error));
    }
    await this.ask();
  }

  open() {
    this.dialog.showModal();
    this.show();
  }

  /** @param {string} problem */
  say(problem) {
    find(this.dialog, "[data-lm-model-problem]", HTMLElement).textContent = problem;
    this.line.title = problem;
  }

  // ---------------------------------------------------------------- what is seen

  show() {
    const { standing, scheme } = this;
    if (!standing || !scheme) return;
    for (const words of this.desk.querySelectorAll("[data-lm-model-words]"))
      words.textContent = standingWords(standing);
    const title = standing.report ? "Train again" : "Train the landmark model";
    for (const button of this.desk.querySelectorAll("[data-lm-train]")) {
      if (!(button instanceof HTMLButtonElement)) continue;
      button.disabled = !canTrain(standing);
      button.textContent = button.classList.contains("lm-small") ? title.split(" the")[0] : title;
      button.title = title;
    }
    find(this.line, "[data-lm-report]", HTMLButtonElement).hidden = !standing.report;
    this.showTraining(standing);
    this.showReport(standing);
  }

  /** @param {Standing} standing */
  showTraining({ job }) {
    const meter = find(this.dialog, "[data-lm-meter]", HTMLElement);
    meter.hidden = !isOpen(this.standing);
    find(meter, "i", HTMLElement).style.width = job?.total ? `${(100 * job.done) / job.total}%` : "0%";
    if (job?.state === "failed") this.say(`The training failed: ${job.error}`);
    if (job?.state === "cancelled") this.say("The training was stopped.");
  }

  /** Only while it is looked at, and only a new one: a list that is read does not jump. @param {Standing} standing */
  showReport({ report }) {
    const place = find(this.dialog, "[data-lm-figures]", HTMLElement);
    if (!this.dialog.open || !this.scheme || place.dataset.model === (report?.model ?? "")) return;
    place.dataset.model = report?.model ?? "";
    const goTo = (/** @type {number} */ imageId) => {
      this.dialog.close();
      this.listeners.goTo(imageId);
    };
    place.replaceChildren(...(report ? reportOf(report, this.scheme, goTo) : []));
  }
}

/** Whether a training has not ended. @param {Standing | null} standing */
function isOpen(standing) {
  return standing?.job?.state === "queued" || standing?.job?.state === "running";
}
