// Template health: rows from /data/health, sorted here; a rate opens its images on the Label page.

const root = element.querySelector(".sa-health");
const part = (name) => root.querySelector(`[data-part=${name}]`);
const MOST = 12;
const RATES = [
  { key: "rejected", title: "Rejected", hint: "Of the reviewed images" },
  { key: "flipped", title: "Corrected", hint: "Of the reviewed images: labeled as another class than the prompted one" },
  { key: "far", title: "Far from real", hint: "Of the images with features: farther from the real images than 95% of these are from one another" },
];
const LEADING = [
  { key: "value", title: "Value" },
  { key: "slot", title: "Slot" },
  { key: "images", title: "Images", number: true },
  { key: "reviewed", title: "Reviewed", number: true },
];
const state = { rows: [], sort: "rejected", down: true, all: false, jobs: "" };

const make = (tag, className, parent, text) => {
  const each = document.createElement(tag);
  if (className) each.className = className;
  if (text !== undefined) each.textContent = text;
  parent?.append(each);
  return each;
};
const percent = (share) => `${Math.round(100 * share)}%`;

function order(row) {
  const found = row[state.sort];
  return found && typeof found === "object" ? (found.share ?? -1) : found;
}

function compare(a, b) {
  const [left, right] = [order(a), order(b)];
  const found = typeof left === "string" ? left.localeCompare(right) : left - right;
  return (state.down ? -found : found) || b.images - a.images;
}

// Without one score the column would say nothing, over and over.
const scored = () => state.rows.some((row) => row.far.total);
const rates = () => RATES.filter(({ key }) => key !== "far" || scored());

function drawHead() {
  part("head").replaceChildren(
    ...[...LEADING, ...rates()].map(({ key, title, hint, number }) => {
      const cell = make("th", number ? "sa-num" : hint ? "sa-health-rate" : "");
      cell.scope = "col";
      if (hint) cell.title = hint;
      const chosen = state.sort === key;
      cell.setAttribute("aria-sort", chosen ? (state.down ? "descending" : "ascending") : "none");
      const button = make("button", "", cell, title);
      button.type = "button";
      button.addEventListener("click", () => {
        state.down = chosen ? !state.down : key !== "value" && key !== "slot";
        state.sort = key;
        draw();
      });
      return cell;
    }),
  );
}

function rateCell(row, { key }) {
  const rate = row[key];
  const cell = make("td", "sa-health-rate");
  if (rate.share === null) {
    make("span", "sa-zero", cell, key === "far" ? "not scored" : "not reviewed");
    return cell;
  }
  const holder = make("div", "", cell);
  const bar = make("i", `bar ${key}`, holder);
  bar.style.width = `${100 * rate.share}%`;
  const line = make("i", "line", holder);
  line.style.left = `${100 * rate.low}%`;
  line.style.width = `${100 * (rate.high - rate.low)}%`;
  const text = `${rate.count} of ${rate.total}`;
  const said = make(rate.count ? "button" : "span", "", cell);
  make("b", "", said, percent(rate.share));
  make("em", "", said, text);
  cell.title = `${text}; 95% interval ${percent(rate.low)} to ${percent(rate.high)}`;
  if (rate.count) {
    said.type = "button";
    said.title = `Open these ${rate.count} images on the Label page`;
    said.addEventListener("click", () => open(row, key));
  }
  return cell;
}

function drawRow(row) {
  const line = make("tr");
  const value = make("td", "sa-health-value", line);
  const all = make("button", "", value, row.value || "(empty)");
  all.type = "button";
  all.title = `Open all ${row.images} images on the Label page`;
  all.addEventListener("click", () => open(row, "any"));
  make("td", "sa-muted", line, row.slot);
  make("td", "sa-num", line, row.images.toLocaleString("en"));
  make("td", "sa-num", line, row.reviewed.toLocaleString("en"));
  line.append(...rates().map((rate) => rateCell(row, rate)));
  return line;
}

function draw() {
  const sorted = [...state.rows].sort(compare);
  drawHead();
  part("rows").replaceChildren(...(state.all ? sorted : sorted.slice(0, MOST)).map(drawRow));
  part("unscored").hidden = scored();
  const more = part("more");
  more.replaceChildren();
  if (sorted.length > MOST) {
    const button = make("button", "sa-button small", more, state.all ? "Show fewer" : `Show all ${sorted.length} values`);
    button.type = "button";
    button.addEventListener("click", () => {
      state.all = !state.all;
      draw();
    });
  }
}

async function open(row, trouble) {
  const query = new URLSearchParams({ slot: row.slot, value: row.value, trouble });
  const answer = await fetch(`/data/health/images?${query}`);
  if (!answer.ok) return;
  const { ids } = await answer.json();
  sessionStorage.setItem("synthaug.selection", JSON.stringify({ ids, from: "template health" }));
  location.href = "/label?scope=selection";
}

function why({ rows }) {
  if (!rows.length) return "Generate images from a template with slots such as <BREED>; their values appear here.";
  return "None of these images was reviewed, and no features were computed. Review some on the Label page, or compute features on the Explore page.";
}

async function load() {
  try {
    const answer = await fetch("/data/health", { cache: "no-store" });
    if (!answer.ok) return;
    const found = await answer.json();
    const judged = found.rows.some((row) => row.reviewed || row.far.total);
    state.rows = found.rows;
    root.dataset.state = judged ? "filled" : "empty";
    part("why").textContent = why(found);
    part("said").replaceChildren(...found.sentences.map((text) => make("li", "", null, text)));
    draw();
  } catch {
    // The server is away for the moment; the next job asks again.
  }
}

document.addEventListener("synthaug:jobs", (event) => {
  const ended = event.detail.filter((job) => ["done", "cancelled", "failed"].includes(job.state));
  const now = ended.map((job) => job.id).join();
  if (now !== state.jobs) load();
  state.jobs = now;
});
load();
