// @ts-check
// The table of template health: rows from /data/health, sorted here; a click on a rate opens its images.

import { getJson } from "../../static/lib/api.js";
import { find, hear, make, makeButton } from "../../static/lib/dom.js";
import { endedJobs } from "../../static/lib/job_states.js";
import { review } from "../../static/lib/session.js";
import { number, percent } from "../../static/lib/words.js";
import { compare, RATES, startsDown } from "./order.js";
import { change, findRetired, retireCell, retiredWords } from "./retired.js";

/** @typedef {import("./order.js").HealthRow} HealthRow */
/** @typedef {import("./order.js").RateKey} RateKey */
/** @typedef {import("./order.js").SortKey} SortKey */

const MOST = 12;
/** @type {{ key: SortKey, title: string, numeric: boolean }[]} */
const LEADING = [
  { key: "value", title: "Value", numeric: false },
  { key: "slot", title: "Slot", numeric: false },
  { key: "images", title: "Images", numeric: true },
  { key: "reviewed", title: "Reviewed", numeric: true },
];

/**
 * @param {HealthRow} row
 * @param {string} trouble
 */
async function open(row, trouble) {
  const query = new URLSearchParams({ slot: row.slot, value: row.value, trouble });
  const { ids } = await getJson(`/data/health/images?${query}`);
  review(ids, "template health");
}

/**
 * The cell of a rate: a bar, a line for its interval, and the figures, which open the images.
 * @param {HealthRow} row
 * @param {RateKey} key
 */
function rateCell(row, key) {
  const rate = row[key];
  const cell = make("td", "sa-health-rate");
  if (rate.share === null) {
    cell.append(make("span", "sa-zero", key === "far" ? "not scored" : "not reviewed"));
    return cell;
  }
  const bar = make("i", `bar ${key}`);
  bar.style.width = `${100 * rate.share}%`;
  const line = make("i", "line");
  line.style.left = `${100 * rate.low}%`;
  line.style.width = `${100 * (rate.high - rate.low)}%`;
  const figures = `${rate.count} of ${rate.total}`;
  const words = [make("b", "", percent(rate.share)), make("em", "", figures)];
  cell.append(
    make("div", "", bar, line),
    rate.count ? opener(row, key, rate.count, words) : make("span", "", ...words),
  );
  cell.title = `${figures}; 95% interval ${percent(rate.low)} to ${percent(rate.high)}`;
  return cell;
}

/**
 * @param {HealthRow} row
 * @param {RateKey} key
 * @param {number} images
 * @param {Node[]} words
 */
function opener(row, key, images, words) {
  const button = makeButton("", "", () => open(row, key));
  button.append(...words);
  button.title = `Open these ${images} images on the Label page`;
  return button;
}

/**
 * @param {HealthRow} row
 * @param {RateKey[]} rates
 * @param {import("./retired.js").Retired[]} retired
 * @param {import("./retired.js").Change} act
 */
function tableRow(row, rates, retired, act) {
  const all = makeButton("", row.value || "(empty)", () => open(row, "any"));
  all.title = `Open all ${row.images} images on the Label page`;
  return make(
    "tr",
    findRetired(retired, row.slot, row.value) ? "retired" : "",
    make("td", "sa-health-value", all),
    make("td", "sa-muted", row.slot),
    make("td", "sa-num", number(row.images)),
    make("td", "sa-num", number(row.reviewed)),
    ...rates.map((key) => rateCell(row, key)),
    retireCell(row, retired, act),
  );
}

/** @param {HealthRow[]} rows */
function whyEmpty(rows) {
  if (!rows.length) return "Generate images from a template with slots, such as <BREED>. The slot values appear here.";
  return "No image has been reviewed and no features have been computed. Review images on the Label page, or compute features on the Explore page.";
}

/** @param {import("../../static/lib/types.js").Component} component */
export function mount({ element }) {
  const root = find(element, ".sa-health", HTMLElement);
  /** @param {string} name */
  const part = (name) => find(root, `[data-part=${name}]`, HTMLElement);
  /** @type {{ rows: HealthRow[], sort: SortKey, down: boolean, all: boolean, ended: string, retired: import("./retired.js").Retired[] }} */
  const state = { retired: [], rows: [], sort: "rejected", down: true, all: false, ended: "" };

  // The column is left out if no image has a score.
  const scored = () => state.rows.some((row) => row.far.total > 0);
  const rates = () => RATES.filter(({ key }) => key !== "far" || scored());

  /**
   * @param {SortKey} key
   * @param {string} title
   * @param {string} className
   */
  function headCell(key, title, className) {
    const chosen = state.sort === key;
    const button = makeButton("", title, () => {
      state.down = chosen ? !state.down : startsDown(key);
      state.sort = key;
      draw();
    });
    const cell = make("th", className, button);
    cell.scope = "col";
    cell.setAttribute("aria-sort", chosen ? (state.down ? "descending" : "ascending") : "none");
    return cell;
  }

  function drawHead() {
    const leading = LEADING.map(({ key, title, numeric }) => headCell(key, title, numeric ? "sa-num" : ""));
    const shares = rates().map(({ key, title, hint }) => {
      const cell = headCell(key, title, "sa-health-rate");
      cell.title = hint;
      return cell;
    });
    part("head").replaceChildren(...leading, ...shares, make("th", "sa-for-owner", "Next job"));
  }

  function drawMore() {
    const { length } = state.rows;
    const button = makeButton("sa-button small", state.all ? "Show fewer" : `Show all ${length} values`, () => {
      state.all = !state.all;
      draw();
    });
    part("more").replaceChildren(...(length > MOST ? [button] : []));
  }

  function draw() {
    const sorted = [...state.rows].sort(compare(state.sort, state.down));
    const keys = rates().map(({ key }) => key);
    drawHead();
    part("rows").replaceChildren(
      ...sorted.slice(0, state.all ? undefined : MOST).map((row) => tableRow(row, keys, state.retired, act)),
    );
    part("unscored").hidden = scored();
    const words = retiredWords(state.retired);
    part("retired").textContent = words ? `Retired values, which jobs leave out: ${words}.` : "";
    drawMore();
  }

  /** @type {import("./retired.js").Change} */
  async function act(slot, value, retired) {
    part("problem").textContent = "";
    try {
      await change(slot, value, retired);
    } catch (error) {
      part("problem").textContent = error instanceof Error ? error.message : String(error);
    }
    await load();
  }

  async function load() {
    try {
      const { rows, sentences, retired } = await getJson("/data/health", { cache: "no-store" });
      state.rows = rows;
      state.retired = retired;
      root.dataset.state = state.rows.some((row) => row.reviewed || row.far.total) ? "filled" : "empty";
      part("why").textContent = whyEmpty(state.rows);
      part("notes").replaceChildren(.../** @type {string[]} */ (sentences).map((text) => make("li", "", text)));
      draw();
    } catch {
      // The server cannot be reached; the table is loaded again when the next job ends.
    }
  }

  hear(root, "synthaug:jobs", (jobs) => {
    const now = endedJobs(jobs);
    if (now !== state.ended) load();
    state.ended = now;
  });
  load();
}
