// @ts-check
// The frame of every page: the light/dark choice, and the chip that counts running jobs.

import { getJson } from "./lib/api.js";
import { announce, closest, find } from "./lib/dom.js";

/** @typedef {import("./lib/types.js").Job} Job */

const THEME = "synthaug.theme";
const HIDDEN_MS = 5000;
const IDLE_MS = 2000;
const BUSY_MS = 700;

function applyTheme() {
  const chosen = new URL(location.href).searchParams.get("__theme") || localStorage.getItem(THEME);
  if (chosen) document.body.classList.toggle("dark", chosen === "dark");
}

/** @param {MouseEvent} event */
function switchTheme(event) {
  if (!closest(event, "[data-sa-theme]")) return;
  const dark = document.body.classList.toggle("dark");
  localStorage.setItem(THEME, dark ? "dark" : "light");
  announce("synthaug:theme", { dark });
}

/** @param {Job} job */
function isActive(job) {
  return job.state === "running" || job.state === "queued";
}

/** @param {Job[]} active */
function showJobs(active) {
  const chip = document.querySelector("[data-sa-jobs]");
  if (!(chip instanceof HTMLElement)) return;
  const [first] = active;
  chip.hidden = !first;
  if (!first) return;
  const share = first.total ? ` ${Math.floor((100 * first.done) / first.total)}%` : "";
  const more = active.length > 1 ? ` · ${active.length - 1} more` : "";
  find(chip, "span", HTMLElement).textContent = `${first.kind}${share}${more}`;
}

let timer = 0;

async function poll() {
  clearTimeout(timer);
  /** @type {Job[]} */
  let active = [];
  try {
    const { jobs } = await getJson("/data/jobs");
    active = jobs.filter(isActive);
    showJobs(active);
    announce("synthaug:jobs", jobs);
  } catch {
    // The server is away for the moment; the next round asks again.
  }
  clearTimeout(timer);
  timer = window.setTimeout(poll, document.hidden ? HIDDEN_MS : active.length ? BUSY_MS : IDLE_MS);
}

if (location.pathname === "/explore") {
  import("../components/scatter/request.js").then(({ askForPoints }) => askForPoints());
}
applyTheme();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => queueMicrotask(applyTheme));
document.addEventListener("click", switchTheme);
document.addEventListener("synthaug:poll", poll);
poll();
