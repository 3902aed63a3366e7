// @ts-check
// What the drawer shows of an image, section by section. Everything written here comes in as text.

import { make, makeButton } from "../../static/lib/dom.js";
import { percent } from "../../static/lib/words.js";
import { isMeant, schemeInUse, still } from "../landmarks/still.js";
import { neighbours } from "./neighbours.js";
import { factList, moment, note, section } from "./parts.js";
import { tagSection } from "./tags.js";

/** @typedef {import("../../static/lib/types.js").Inspection} Inspection */
/** @typedef {import("../../static/lib/types.js").Making} Making */
/** @typedef {import("../../static/lib/types.js").Guess} Guess */
/** @typedef {import("../../static/lib/types.js").Said} Said */
/** @typedef {import("../../static/lib/types.js").Holder} Holder */
/** @typedef {(said: Said) => void} TakeBack */
/** @typedef {import("./tags.js").PutTag} PutTag */

const PIXELATED = 96; // pixels, up to which an enlarged image is not smoothed
const SHORT_HASH = 12;
const SOURCES = { human: "", accepted: "accepted", imported: "imported", automatic: "automatic" };
const KINDS = { view: "View", export: "Export", run: "Training run", model: "Classifier" };
const DETAILS = /** @type {Record<string, string>} */ ({
  start: "Start",
  source: "Started from",
  kept: "Share kept of it",
  strength: "Strength",
});

/**
 * The image as large as the drawer is wide; a click opens the file alone.
 * @param {Inspection} found
 */
export function picture({ item }) {
  const file = `/media/${item.sha256}${item.review ? ".review" : ""}.png`;
  const image = make("img");
  image.src = file;
  image.alt = item.prompt ?? `image ${item.image_id}`;
  image.classList.toggle("pixelated", item.width <= PIXELATED);
  const link = make("a", "sa-inspector-picture", image);
  link.href = file;
  link.target = "_blank";
  link.rel = "noreferrer";
  link.title = "Open the image file in another tab";
  if (isMeant(item)) drawLandmarks(link, item);
  return link;
}

/** The landmarks that people or a model placed, over the picture. @param {HTMLElement} link @param {Inspection["item"]} item */
async function drawLandmarks(link, item) {
  const scheme = await schemeInUse();
  if (scheme) link.append(still(scheme, item, "meet"));
}

/**
 * @param {Inspection} found
 * @param {TakeBack} takeBack
 * @param {PutTag} putTag
 */
export function sections(found, takeBack, putTag) {
  return [
    section("Label", history(found, takeBack)),
    tagSection(found, putTag),
    section("Prediction", guesses(found)),
    section("How it was made", provenance(found)),
    ...neighbours(found),
    section("Part of", holders(found.holders)),
  ];
}

/** What was said, the newest first: what counts, what was taken back. @param {Inspection} found @param {TakeBack} takeBack */
function history({ history: log, classes, locked, conflict }, takeBack) {
  const list = make("ol", "sa-inspector-log");
  for (const said of [...log].reverse()) list.append(saidLine(said, classes, locked ? null : takeBack));
  const words = locked ? note("A labeled test image is locked: it measures the classifiers.") : null;
  const open = note("These readers differ: a reviewer settles it in the queue Conflicts of the Label page.");
  const differ = conflict === "open" ? open : null;
  return make("div", "", differ, log.length ? list : note("Nobody has labeled it yet."), words);
}

/**
 * @param {Said} said
 * @param {string[]} classes
 * @param {TakeBack | null} takeBack
 */
function saidLine(said, classes, takeBack) {
  const word =
    said.class_index === null
      ? { reject: "rejected", unsure: "unsure", class: "" }[said.value]
      : classes[said.class_index];
  const by = [
    said.annotator,
    readingWords(said),
    SOURCES[said.source],
    said.model && `saw ${said.model}`,
    moment(said.created_at),
    said.reason,
  ];
  const line = make(
    "li",
    said.undone_by ? "undone" : "",
    make("b", "", word),
    make("span", "", by.filter(Boolean).join(" · ")),
  );
  if (said.counts) line.append(make("em", "sa-chip good", "counts"));
  if (said.undone_by) line.append(make("em", "sa-chip", `undone by ${said.undone_by}`));
  else if (takeBack) line.append(makeButton("sa-button small", "Undo", () => takeBack(said)));
  return line;
}

/** What an answer is to those of other people. @param {Said} said */
function readingWords({ reading, number }) {
  if (reading === "settlement") return "settles the conflict";
  if (reading === "second") return number ? `reading ${number}` : "beside another reading";
  return number ? `reading ${number}` : "";
}

/** A table a model: its likeliest classes with bars. @param {Inspection} found */
function guesses({ guesses: said, classes }) {
  if (!said.length) return note("No classifier has seen it. Train one on the Train page.");
  return make("div", "sa-inspector-guesses", ...said.map((guess) => guessTable(guess, classes)));
}

/** @param {Guess} guess @param {string[]} classes */
function guessTable(guess, classes) {
  const rows = guess.classes.map(([index, probability]) => {
    const bar = make("i");
    bar.style.width = `${100 * probability}%`;
    return make(
      "li",
      "",
      make("span", "", classes[index]),
      make("div", "sa-meter", bar),
      make("em", "", percent(probability)),
    );
  });
  const whose = guess.cross_fitted ? `${guess.model}, fitted without this image` : guess.model;
  return make("div", "", make("p", "sa-inspector-note", whose), make("ul", "", ...rows));
}

/** @param {Inspection} found */
function provenance(found) {
  const { item, makings } = found;
  /** @type {[string, Node | string | null][]} */
  const facts = [
    ["Caption", found.caption],
    ["Source", makings.length ? null : found.source],
    ["Size", `${item.width} × ${item.height} px`],
    ["Added", moment(found.added_at)],
    ["SHA-256", make("code", "", item.sha256)],
  ];
  return make("div", "", ...makings.map((making) => factList(madeFacts(making, found.classes))), factList(facts));
}

/**
 * @param {Making} making
 * @param {string[]} classes
 * @returns {[string, Node | string | null][]}
 */
function madeFacts(making, classes) {
  const slots = Object.entries(making.slots);
  const list = make(
    "ul",
    "sa-inspector-slots",
    ...slots.map(([slot, value]) => make("li", "", make("b", "", slot), ` ${value}`)),
  );
  return [
    ["Prompt", making.prompt || "none"],
    ["Class asked for", making.class_index === null ? "none" : classes[making.class_index]],
    ["Template", making.template && make("code", "", making.template)],
    ["Slots", slots.length ? list : null],
    ["Generator", making.generator],
    ["Revision", make("code", "", making.revision.slice(0, SHORT_HASH))],
    ["Seed", make("code", "", String(making.seed))],
    ["Guidance", making.guidance === null ? "the generator's own" : String(making.guidance)],
    ...Object.entries(making.details).map(([name, value]) => detail(name, value)),
    ["Job", `${making.job_id}, ${moment(making.made_at)}`],
  ];
}

/** @param {string} name @param {unknown} value @returns {[string, Node | string]} */
function detail(name, value) {
  const title = DETAILS[name] ?? name.replaceAll("_", " ");
  if (name !== "source") return [title, typeof value === "string" ? value : JSON.stringify(value)];
  const open = makeButton("sa-scatter-link", String(value).slice(0, SHORT_HASH));
  open.dataset.saImage = String(value);
  return [title, open];
}

/** @param {Holder[]} held */
function holders(held) {
  if (!held.length) return note("No dataset view, and so no export, training run or classifier.");
  const rows = held.map(({ kind, name, view, detail: more, created_at }) => {
    const of = kind === "view" ? null : `of view ${view}`;
    return make(
      "li",
      "",
      make("b", "", `${KINDS[kind]} ${kind === "run" ? name.slice(4) : name}`),
      make("span", "", [of, more, moment(created_at)].filter(Boolean).join(" · ")),
    );
  });
  return make("ul", "sa-inspector-holders", ...rows);
}
