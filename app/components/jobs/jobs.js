// @ts-check
// The rows of the job strip, updated in place after every poll of the shell.

import { postJson } from "../../static/lib/api.js";
import { announce, find, hear, make, makeButton } from "../../static/lib/dom.js";
import { isActive } from "../../static/lib/job_states.js";
import { count, duration, number } from "../../static/lib/words.js";
import { secondsLeft, share } from "./estimate.js";

/** @typedef {import("../../static/lib/types.js").Job} Job */
/** @typedef {ReturnType<typeof build>} Row */

const WORDS = { queued: "waiting", running: "running", done: "done", failed: "failed", cancelled: "stopped" };
const CHIPS = { queued: "", running: "", done: "good", failed: "bad", cancelled: "warn" };
/** @type {Record<string, string>} */
const TITLES = {
  generate: "Generate",
  predict: "Predict",
  score: "Compute features",
  import: "Import",
  retrain: "Retrain",
  train: "Train",
  "quick-model": "Train",
  "train-landmarks": "Train a landmark model",
  finetune: "Fine-tune",
};

/** @param {number} id */
function build(id) {
  const part = {
    title: make("b"),
    what: make("span", "sa-job-what"),
    chip: make("span", "sa-chip"),
    button: makeButton("sa-button small"),
    meter: make("i"),
    done: make("span"),
    rate: make("span"),
    left: make("span", "sa-job-left"),
    cut: make("p", "sa-job-cut"),
    error: make("p", "sa-job-error"),
  };
  part.button.addEventListener("click", () => act(id, part.button));
  const head = make("div", "sa-job-head", part.title, part.what, part.chip, part.button);
  const foot = make("div", "sa-job-foot", part.done, part.rate, part.left);
  const row = make("li", "sa-job", head, make("div", "sa-meter", part.meter), foot, part.cut, part.error);
  return { row, ...part };
}

/**
 * @param {number} id
 * @param {HTMLButtonElement} button
 */
async function act(id, button) {
  button.disabled = true;
  try {
    await postJson(`/data/jobs/${id}/${button.dataset.do}`);
  } catch {
    // The next poll shows the state of the job.
  } finally {
    announce("synthaug:poll");
    button.disabled = false;
  }
}

/** @param {Job} job */
function summary({ kind, params, result }) {
  if (kind === "generate") return `${params.label} · ${params.template}`;
  if (kind === "import") return params.source ?? "";
  if (kind === "finetune") return `${params.name} · ${params.base} on ${params.view}`;
  return params.model ?? result.model ?? "";
}

/** @param {Job} job */
function speed({ result }) {
  const rate = result.rate ?? (result.seconds && result.generated ? result.generated / result.seconds : 0);
  return rate > 0 ? `${rate.toFixed(1)} ${result.unit ?? "images"}/s` : "";
}

/** @param {Job} job */
function finished(job) {
  const { added, duplicates } = job.result;
  if (job.kind === "import" && added !== undefined) {
    return `${number(added)} added, ${number(duplicates ?? 0)} already there`;
  }
  return speed(job);
}

/** @param {Job} job */
function cutText({ result: { cut } }) {
  if (!cut) return "";
  const were = cut.images === 1 ? "was" : "were";
  return `${count(cut.images, "prompt")} ${were} longer than the text encoder reads. Not read, for example: “${cut.example}”`;
}

/**
 * @param {Row} part
 * @param {Job} job
 */
function fill(part, job) {
  const active = isActive(job);
  part.row.dataset.state = job.state;
  part.row.dataset.job = String(job.id);
  part.title.textContent = TITLES[job.kind] ?? job.kind;
  part.what.textContent = part.what.title = summary(job);
  const refused = job.state === "done" ? (job.result.rejected ?? 0) : 0;
  const word = refused ? `${number(refused)} not imported` : WORDS[job.state];
  part.chip.textContent = job.cancel_requested && active ? "stopping" : word;
  part.chip.className = `sa-chip ${refused ? "warn" : CHIPS[job.state]}`;
  part.row.toggleAttribute("data-partly", refused > 0);
  part.button.dataset.do = active ? "cancel" : "resume";
  part.button.textContent = active ? "Stop" : job.state === "failed" ? "Try again" : "Continue";
  part.button.hidden = job.state === "done" || (active ? job.cancel_requested : !job.resumable);
  part.meter.style.width = `${100 * share(job)}%`;
  part.done.textContent = job.total ? `${number(job.done)} of ${number(job.total)}` : job.note;
  part.rate.textContent = active ? speed(job) || (job.total ? job.note : "") : finished(job);
  const left = secondsLeft(job, Date.now());
  part.left.textContent = left === null ? "" : `${duration(left)} left`;
  part.cut.textContent = cutText(job);
  part.cut.hidden = !job.result.cut;
  part.error.textContent = job.error;
  part.error.hidden = !job.error;
}

/** @param {import("../../static/lib/types.js").Component} component */
export function mount({ element, props }) {
  const list = find(element, ".sa-jobs", HTMLElement);
  const none = find(element, ".sa-jobs-empty", HTMLElement);
  /** @type {Map<number, Row>} */
  const rows = new Map();
  none.textContent = props.empty;

  /** @param {Set<number>} ids */
  function drop(ids) {
    for (const [id, { row }] of rows) {
      if (ids.has(id)) continue;
      row.remove();
      rows.delete(id);
    }
  }

  /** @param {Job[]} jobs */
  function show(jobs) {
    const shown = jobs.filter((job) => props.kinds.includes(job.kind)).slice(0, props.limit);
    drop(new Set(shown.map((job) => job.id)));
    shown.forEach((job, index) => {
      const part = rows.get(job.id) ?? build(job.id);
      rows.set(job.id, part);
      if (list.children[index] !== part.row) list.insertBefore(part.row, list.children[index] ?? null);
      fill(part, job);
    });
    none.hidden = shown.length > 0;
  }

  hear(element, "synthaug:jobs", show);
  announce("synthaug:poll");
}
