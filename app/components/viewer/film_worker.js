// @ts-check
// Fetches and unpacks films beside the page, so that keys and drags never wait for one.

import { filmOf } from "./film.js";
import { readGrayPng } from "./gray_png.js";

/** @param {string} url */
async function film(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`the app answered ${answer.status}`);
  return filmOf(await readGrayPng(new Uint8Array(await answer.arrayBuffer())));
}

self.addEventListener("message", async ({ data: { id, url } }) => {
  try {
    const made = await film(url);
    self.postMessage({ id, film: made }, { transfer: made.levels.map(({ values }) => values.buffer) });
  } catch (error) {
    self.postMessage({ id, error: String(error) });
  }
});
