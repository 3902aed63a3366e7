// @ts-check
// Landmarks over a small picture that nobody moves: in the inspector, on the tiles of the grid review.

import { getJson } from "../../static/lib/api.js";
import { element } from "./overlay.js";

/** @typedef {import("../../static/lib/types.js").Item} Item */
/** @typedef {import("./geometry.js").Angle} Angle */
/** @typedef {import("./geometry.js").Places} Places */
/** @typedef {import("./geometry.js").Scheme} Scheme */

const ARM = 0.02; // of the longer side: half a cross

/** @type {Promise<Scheme | null> | null} */
let asked = null;

/** The scheme of the workspace, asked for once; null where there is none, or it cannot be had. */
export function schemeInUse() {
  asked ??= getJson("/data/landmarks").then(
    ({ scheme }) => scheme,
    () => null,
  );
  return asked;
}

/** Whether an image's landmarks are worth drawing: placed, or proposed by a model. @param {Item} item */
export function isMeant({ landmarks }) {
  return landmarks?.origin === "answer" || landmarks?.origin === "model";
}

/**
 * An SVG in pixels of the image, to lie over it; it scales with the picture.
 * @param {Scheme} scheme
 * @param {Item} item
 * @param {"meet" | "slice"} fit as object-fit contain, or cover
 */
export function still(scheme, { landmarks, width, height }, fit) {
  const viewBox = `0 0 ${width} ${height}`;
  const root = element("svg", { class: "lm-still", viewBox, preserveAspectRatio: `xMidYMid ${fit}` });
  root.setAttribute("aria-hidden", "true");
  if (!landmarks) return root;
  const arm = ARM * Math.max(width, height);
  root.append(...scheme.lines.map(({ start, end }) => line(landmarks.points[start], landmarks.points[end], "lm-line")));
  for (const angle of scheme.angles) root.append(...arms(angle, landmarks.points));
  for (const { name, side } of [...scheme.circles, ...scheme.points]) {
    const [x, y, radius] = landmarks.points[name];
    const of = `lm-${side ?? "none"}`;
    root.append(
      element("path", {
        class: `lm-spot ${of}`,
        d: `M${x - arm} ${y}H${x + arm}M${x} ${y - arm}V${y + arm}`,
      }),
    );
    if (radius)
      root.append(element("circle", { class: `lm-spot ${of}`, cx: String(x), cy: String(y), r: String(radius) }));
  }
  return root;
}

/** @param {Angle} angle @param {Places} points */
function arms({ at, between, side }, points) {
  if (!at || !between) return [];
  return between.map((end) => line(points[at], points[end], `lm-arm lm-${side ?? "none"}`));
}

/** @param {number[]} from @param {number[]} to @param {string} className */
function line([x1, y1], [x2, y2], className) {
  return element("line", { class: className, x1: String(x1), y1: String(y1), x2: String(x2), y2: String(y2) });
}
