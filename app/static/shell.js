// @ts-check
// The frame of every page: the light or dark theme, the chip with the running jobs, and who is logged in.

import { ApiError, getJson } from "./lib/api.js";
import { noteState } from "./lib/changes.js";
import { announce, closest, find, make } from "./lib/dom.js";
import { isActive } from "./lib/job_states.js";
import { openedBy } from "./lib/session.js";

/** @typedef {import("./lib/types.js").Job} Job */

const THEME = "synthaug.theme";
const HIDDEN_MS = 5000;
const IDLE_MS = 1000;
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

/** Past the header, for those who go by keys. @param {MouseEvent} event */
function skipToContent(event) {
  if (!closest(event, "[data-sa-skip]")) return;
  event.preventDefault(); // the address stays: it says what the page shows
  const content = find(document, ".sa-body", HTMLElement);
  content.tabIndex = -1;
  content.focus();
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

/** Show who is logged in and the button to log out; the role determines the visible links. @param {import("./lib/session.js").Person} person */
function showPerson({ name, role }) {
  document.documentElement.dataset.saRole = role;
  delete document.documentElement.dataset.saLoggedOut;
  const form = document.querySelector(".sa-person");
  if (!(form instanceof HTMLElement)) return;
  const words = find(form, "[data-sa-person]", HTMLElement);
  if (words.textContent !== name) words.textContent = name;
  words.title = role;
  form.hidden = false;
}

/** The session has ended: offer to log in again, in another tab so that nothing on this page is lost. */
function showLoggedOut() {
  document.documentElement.dataset.saLoggedOut = "true"; // hides the error that Gradio shows of an event
  const form = document.querySelector(".sa-person");
  if (!(form instanceof HTMLElement)) return;
  const link = make("a", "", "Log in again");
  link.href = "/log-in";
  link.target = "_blank";
  find(form, "[data-sa-person]", HTMLElement).replaceChildren(link);
  form.hidden = false;
}

let timer = 0;

async function poll() {
  clearTimeout(timer);
  /** @type {Job[]} */
  let active = [];
  try {
    const { jobs, state } = await getJson("/data/jobs");
    active = jobs.filter(isActive);
    showJobs(active);
    announce("synthaug:jobs", jobs);
    noteState(state);
    showPerson(await openedBy());
  } catch (error) {
    // The server cannot be reached, and the next poll tries again; or this browser was logged out.
    if (error instanceof ApiError && error.status === 401) showLoggedOut();
  }
  clearTimeout(timer);
  timer = window.setTimeout(poll, document.hidden ? HIDDEN_MS : active.length ? BUSY_MS : IDLE_MS);
}

if (location.pathname === "/explore") {
  import("../components/scatter/request.js").then(({ askForPoints }) => askForPoints());
}
/** What a person wanted to see before the inspector had come. @type {Event | null} */
let early = null;
const asks = ["click", "synthaug:inspect"];
/** @param {Event} event */
const keep = (event) => {
  if (event.type !== "click" || closest(event, "[data-sa-image]")) early = event;
};
for (const ask of asks) document.addEventListener(ask, keep);
import("../components/inspector/inspector.js").then(
  ({ Inspector }) => {
    for (const ask of asks) document.removeEventListener(ask, keep);
    return new Inspector(early);
  },
  () => {}, // the app was stopped while the page was loading
);
applyTheme();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => queueMicrotask(applyTheme));
document.addEventListener("click", switchTheme);
document.addEventListener("click", skipToContent);
document.addEventListener("synthaug:poll", poll);
poll();
