// @ts-check
// Films on order: one worker unpacks them, in the order in which they were asked for.

/** @typedef {import("./film.js").Film} Film */

/** @type {Worker | null} */
let worker = null;
let last = 0;
/** @type {Map<number, { resolve: (film: Film) => void, reject: (error: Error) => void }>} */
const waiting = new Map();

function started() {
  const made = new Worker(new URL("./film_worker.js", import.meta.url), { type: "module" });
  made.addEventListener("message", ({ data: { id, film, error } }) => {
    const asked = waiting.get(id);
    waiting.delete(id);
    if (error) asked?.reject(new Error(error));
    else asked?.resolve(film);
  });
  return made;
}

/**
 * The film at an address, unpacked. Rejects what cannot be fetched or read.
 * @param {string} url
 * @returns {Promise<Film>}
 */
export function fetchFilm(url) {
  worker ??= started();
  last += 1;
  const id = last;
  const promised = new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
  worker.postMessage({ id, url: new URL(url, location.href).href });
  return promised;
}
