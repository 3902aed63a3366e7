// @ts-check
// The request for the points. The shell makes it while Gradio still builds the page: it is what takes longest.

import { ApiError } from "../../static/lib/api.js";

/** @type {Promise<ArrayBuffer> | null} */
let early = null;

/** Throws ApiError. */
async function fetchPoints() {
  const response = await fetch("/data/points", { cache: "no-store" }).catch(() => null);
  if (!response) throw new ApiError(0, null);
  if (!response.ok) throw new ApiError(response.status, await response.json().catch(() => null));
  return response.arrayBuffer();
}

/** Ask now for what `takePoints` gives. */
export function askForPoints() {
  early = fetchPoints();
  early.catch(() => {}); // whoever takes it is told
}

/** The points as bytes: those that were asked for early, once, or else fresh ones. */
export function takePoints() {
  const points = early ?? fetchPoints();
  early = null;
  return points;
}
