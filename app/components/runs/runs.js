// @ts-check
// The list of training runs and comparisons, its filters, and two of them side by side. Events on document:
//   in   synthaug:jobs   the shell's poll; the list is loaded again when a job has ended

import { parameter, setAddress } from "../../static/lib/address.js";
import { getJson } from "../../static/lib/api.js";
import { closest, find, hear, make, makeButton } from "../../static/lib/dom.js";
import { endedJobs } from "../../static/lib/job_states.js";
import { number } from "../../static/lib/words.js";
import { CellImages } from "./cell_images.js";
import { afterChoosing, choices, FILTERS, isShown, kept } from "./filtering.js";

/** @typedef {import("./filtering.js").Entry} Entry */
/** @typedef {import("./filtering.js").Wanted} Wanted */

const MOST = 100; // rows before "Show all"
/** @type {Record<string, string>} */
const TONES = { helped: "good", harmed: "bad", "did not help": "bad", "not enough evidence": "warn" };

class Runs {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    /** @type {Entry[]} */
    this.entries = [];
    /** @type {Wanted} */
    this.wanted = {};
    /** Keys of the sides that are shown. @type {string[]} */
    this.shown = [];
    this.all = false;
    this.ended = "";
    this.cells = new CellImages(this.part("sides"));
    for (const filter of this.filters) filter.addEventListener("change", () => this.choose(filter));
    this.part("clear").addEventListener("click", () => this.want({}));
    this.part("sides").addEventListener("click", (event) => {
      const cell = closest(event, "[data-side]");
      if (cell) this.cells.open(cell);
    });
    window.addEventListener("popstate", () => this.follow());
    hear(root, "synthaug:jobs", (jobs) => this.hearJobs(jobs));
    this.load()
      .then(() => this.follow())
      .finally(() => {
        root.dataset.state = this.entries.length ? "filled" : "empty";
      });
  }

  /** @param {string} name */
  part(name) {
    return find(this.root, `[data-part="${name}"]`, HTMLElement);
  }

  /** @returns {NodeListOf<HTMLSelectElement>} */
  get filters() {
    return this.root.querySelectorAll("[data-filter]");
  }

  async load() {
    try {
      this.entries = (await getJson("/data/runs", { cache: "no-store" })).entries;
      this.draw();
    } catch {
      // the server cannot be reached; the list is loaded again when the next job ends
    }
  }

  /** @param {import("../../static/lib/types.js").Job[]} jobs */
  hearJobs(jobs) {
    const now = endedJobs(jobs);
    if (this.ended && now !== this.ended) this.load();
    this.ended = now;
  }

  // ---------------------------------------------------------------- the address

  /** Show the filters and sides that the address names. */
  follow() {
    this.wanted = Object.fromEntries(FILTERS.flatMap((name) => (parameter(name) ? [[name, parameter(name)]] : [])));
    this.shown = ["left", "right"].map(parameter).filter((key) => key !== null);
    this.draw();
    return this.showSides();
  }

  /** @param {Wanted} wanted */
  want(wanted) {
    this.wanted = wanted;
    setAddress(Object.fromEntries(FILTERS.map((name) => [name, wanted[name] || null])));
    this.draw();
  }

  /** @param {HTMLSelectElement} filter */
  choose(filter) {
    this.want({ ...this.wanted, [String(filter.dataset.filter)]: filter.value });
  }

  /** @param {Entry} entry */
  show(entry) {
    this.shown = afterChoosing(this.shown, entry.sides);
    setAddress({ left: this.shown[0] ?? null, right: this.shown[1] ?? null });
    this.draw();
    this.showSides();
  }

  // ---------------------------------------------------------------- what is seen

  draw() {
    for (const filter of this.filters) this.drawFilter(filter);
    const entries = kept(this.entries, this.wanted);
    const some = this.all ? entries : entries.slice(0, MOST);
    this.part("rows").replaceChildren(...some.map((entry) => this.row(entry)));
    this.part("shown").textContent = `${number(entries.length)} of ${number(this.entries.length)}`;
    const none = this.part("none");
    none.hidden = entries.length > 0;
    none.textContent = this.entries.length
      ? "No run matches these filters."
      : "No model has been trained yet. Train one on the Train page; it then appears here.";
    const more = makeButton("sa-button small", `Show all ${entries.length}`, () => {
      this.all = true;
      this.draw();
    });
    this.part("more").replaceChildren(...(some.length < entries.length ? [more] : []));
  }

  /** @param {HTMLSelectElement} filter */
  drawFilter(filter) {
    const name = /** @type {import("./filtering.js").FilterName} */ (filter.dataset.filter);
    const options = choices(this.entries, name, this.wanted).map(
      ([value, entries]) => new Option(`${value} (${entries})`, value),
    );
    filter.replaceChildren(new Option("All", ""), ...options);
    filter.value = this.wanted[name] ?? "";
    if (filter.selectedIndex < 0) filter.selectedIndex = 0;
  }

  /** @param {Entry} entry */
  row(entry) {
    const on = isShown(this.shown, entry.sides);
    const show = makeButton("sa-button small", entry.sides.length > 1 ? "Show both" : "Show", () => this.show(entry));
    show.textContent = on ? "Shown" : show.textContent;
    show.setAttribute("aria-pressed", String(on));
    show.setAttribute("aria-label", `Show ${entry.title}`);
    const row = make(
      "tr",
      "",
      make("td", "sa-when", entry.created_at.slice(0, 16).replace("T", " ")),
      make("td", "", make("b", "", entry.title), make("span", "sa-muted", entry.kind)),
      cell(entry.class_sets),
      cell(entry.recipes),
      cell(entry.arms),
      cell(entry.generators),
      make("td", "sa-num", String(entry.seeds)),
      make("td", "sa-num", entry.accuracies.map((share) => `${(100 * share).toFixed(2)}%`).join(" → ")),
      make("td", "", verdict(entry)),
      make("td", "", show),
    );
    row.dataset.shown = String(on);
    row.dataset.key = entry.sides.join();
    return row;
  }

  /** Fetch the sides as HTML from the app, which escapes all text in them. */
  async showSides() {
    const [left, right] = this.shown;
    const sides = this.part("sides");
    this.cells.close();
    if (!left) return sides.replaceChildren();
    const query = new URLSearchParams({ left, ...(right ? { right } : {}) });
    const response = await fetch(`/data/runs/sides?${query}`).catch(() => null);
    if (this.shown[0] !== left || this.shown[1] !== right) return undefined;
    if (!response?.ok) return sides.replaceChildren(make("p", "sa-error", "This run is not in the workspace."));
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    return sides.replaceChildren(...page.body.children);
  }
}

/** @param {string[]} values */
function cell(values) {
  return make("td", values.length ? "" : "sa-muted", values.length ? values.join("; ") : "none");
}

/** @param {Entry} entry */
function verdict({ verdict: said, difference }) {
  if (!said) return "";
  const points = `${(difference ?? 0) >= 0 ? "+" : ""}${(100 * (difference ?? 0)).toFixed(2)}`;
  const chip = make("span", `sa-chip ${TONES[said] ?? ""}`, said);
  return make("span", "sa-runs-verdict", chip, make("span", "", `${points} points`));
}

/** @param {import("../../static/lib/types.js").Component} component */
export function mount({ element }) {
  new Runs(find(element, ".sa-runs-page", HTMLElement));
}
