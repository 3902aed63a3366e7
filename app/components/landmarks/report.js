// @ts-check
// The report of a landmark model: its figures, a plot after Bland and Altman, and the images it is farthest off on.

import { make, makeButton } from "../../static/lib/dom.js";
import { blandAltman, COLUMNS, figureRows, measuredWords, PUBLISHED, signed, ticks, tickWords } from "./agreement.js";
import { element } from "./overlay.js";

/** @typedef {import("../../static/lib/types.js").LandmarkReport} Report */
/** @typedef {import("../../static/lib/types.js").Measured} Measured */
/** @typedef {import("./geometry.js").Scheme} Scheme */
/** @typedef {import("./agreement.js").Point} Point */

const WIDTH = 520;
const HEIGHT = 250;
const EDGE = { left: 44, right: 76, top: 12, bottom: 40 };

/**
 * @param {Report} report
 * @param {Scheme} scheme
 * @param {(imageId: number) => void} goTo
 */
export function reportOf(report, scheme, goTo) {
  const points = blandAltman(
    report.failures,
    scheme.angles.map(({ name }) => name),
  );
  return [
    make("h3", "", report.model),
    make("p", "", measuredWords(report)),
    figures(figureRows(report, scheme.angles)),
    make("p", "", PUBLISHED),
    ...(points.length ? [make("h3", "", "Differences (Bland-Altman)"), plot(points, report, scheme, goTo)] : []),
    ...(report.failures.length
      ? [make("h3", "", "Largest errors first"), failureList(report.failures, scheme, goTo)]
      : []),
  ];
}

/** @param {string[][]} rows */
function figures(rows) {
  const head = make("tr", "", ...COLUMNS.map((title, index) => make("th", index ? "sa-num" : "", title)));
  const body = rows.map((row) => make("tr", "", ...row.map((text, index) => make("td", index ? "sa-num" : "", text))));
  return make("div", "sa-table-holder", make("table", "sa-table", make("thead", "", head), make("tbody", "", ...body)));
}

/**
 * @param {Measured[]} failures
 * @param {Scheme} scheme
 * @param {(imageId: number) => void} goTo
 */
function failureList(failures, scheme, goTo) {
  const rows = failures.map(({ image_id, sha256, error, true: placed, read }) => {
    const picture = make("img");
    Object.assign(picture, { src: `/media/${sha256}.webp?size=64`, alt: "", loading: "lazy" });
    const said = scheme.angles.map(
      ({ name, title }) => `${title}: ${placed[name].toFixed(1)}° placed, ${read[name].toFixed(1)}° by the model`,
    );
    const button = makeButton("lm-failure", "", () => goTo(image_id));
    button.title = "Show this image, to correct its landmarks";
    button.append(
      picture,
      make("b", "", `${error.toFixed(1)}° off`),
      make("span", "", `Image ${image_id}. ${said.join("; ")}`),
    );
    return make("li", "", button);
  });
  return make("ol", "lm-failures", ...rows);
}

/**
 * @param {Point[]} points
 * @param {Report} report
 * @param {Scheme} scheme
 * @param {(imageId: number) => void} goTo
 */
function plot(points, { angles }, scheme, goTo) {
  const { bias, low, high } = angles.all;
  const across = ticks(points.map(({ mean }) => mean));
  const up = ticks([...points.map(({ difference }) => difference), low, high, 0]);
  const x = scaled(across, EDGE.left, WIDTH - EDGE.right);
  const y = scaled(up, HEIGHT - EDGE.bottom, EDGE.top);
  const words = `Model minus person against the mean of both: bias ${signed(bias)}, limits ${signed(low)}, ${signed(high)}`;
  const root = element("svg", {
    class: "lm-plot",
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    role: "img",
    "aria-label": words,
  });
  const [left, right] = [String(EDGE.left), String(WIDTH - EDGE.right)];
  for (const value of across)
    root.append(text(x(value), HEIGHT - EDGE.bottom + 16, tickWords(value), { "text-anchor": "middle" }));
  for (const value of up) {
    root.append(element("line", { class: "lm-grid", x1: left, x2: right, y1: String(y(value)), y2: String(y(value)) }));
    root.append(text(EDGE.left - 6, y(value) + 4, tickWords(value), { "text-anchor": "end" }));
  }
  for (const [name, value] of /** @type {[string, number][]} */ ([
    ["bias", bias],
    ["limit", low],
    ["limit", high],
  ])) {
    root.append(
      element("line", { class: `lm-${name}`, x1: left, x2: right, y1: String(y(value)), y2: String(y(value)) }),
      text(WIDTH - EDGE.right + 6, y(value) + 4, `${name === "bias" ? "bias " : ""}${signed(value)}`, {
        class: "lm-value",
      }),
    );
  }
  root.append(
    text((EDGE.left + WIDTH - EDGE.right) / 2, HEIGHT - 6, "Mean of model and person", { "text-anchor": "middle" }),
    ...points.map((point) => dot(point, x(point.mean), y(point.difference), scheme, goTo)),
  );
  return root;
}

/**
 * @param {Point} point
 * @param {number} cx
 * @param {number} cy
 * @param {Scheme} scheme
 * @param {(imageId: number) => void} goTo
 */
function dot({ image_id, name, difference }, cx, cy, scheme, goTo) {
  const angle = scheme.angles.find((each) => each.name === name);
  const made = element("circle", {
    class: `lm-dot lm-${angle?.side ?? "none"}`,
    cx: String(cx),
    cy: String(cy),
    r: "4",
  });
  const tip = element("title");
  tip.textContent = `Image ${image_id}, ${angle?.title}: ${signed(difference)}`;
  made.append(tip);
  made.addEventListener("click", () => goTo(image_id));
  return made;
}

/** @param {number[]} marks @param {number} from @param {number} to @returns {(value: number) => number} */
function scaled(marks, from, to) {
  const [low, high] = [marks[0], marks[marks.length - 1]];
  return (value) => from + ((value - low) / (high - low)) * (to - from);
}

/** @param {number} x @param {number} y @param {string} words @param {Record<string, string>} attributes */
function text(x, y, words, attributes) {
  const made = element("text", { x: String(x), y: String(y), ...attributes });
  made.textContent = words;
  return made;
}
