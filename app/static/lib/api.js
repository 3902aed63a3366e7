// @ts-check
// The app's own routes: JSON in, JSON out, and one kind of error.

/** @typedef {import("./types.js").Item} Item */

/** The app answered, and the answer was no. `body` is what it said; `status` 0: it could not be reached. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {any} body
   */
  constructor(status, body) {
    const reached = status ? `the app answered ${status}` : "the app cannot be reached";
    super(typeof body?.error === "string" ? body.error : reached);
    this.status = status;
    this.body = body;
  }
}

/**
 * What the app has at an address. Throws ApiError.
 * @param {string} path
 * @param {RequestInit} [init]
 * @returns {Promise<any>}
 */
export async function getJson(path, init) {
  const response = await fetch(path, init).catch(() => null);
  if (!response) throw new ApiError(0, null);
  const body = await response.json().catch(() => null);
  if (!response.ok || body === null) throw new ApiError(response.status, body);
  return body;
}

/**
 * Send JSON to the app. Throws ApiError.
 * @param {string} path
 * @param {unknown} [body]
 * @param {Record<string, string>} [headers]
 * @returns {Promise<any>}
 */
export function postJson(path, body = {}, headers = {}) {
  return getJson(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
}

/**
 * Records of images, in the order asked for; an id that the workspace does not have is left out.
 * @param {number[]} ids at most 200
 * @returns {Promise<Item[]>}
 */
export async function fetchItems(ids) {
  if (!ids.length) return [];
  try {
    return (await getJson(`/data/items?ids=${ids.join(",")}`)).items;
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    if (ids.length === 1) return [];
    const half = ids.length >> 1;
    return [...(await fetchItems(ids.slice(0, half))), ...(await fetchItems(ids.slice(half)))];
  }
}

/**
 * The address of a small version of an image: the original where that is small already.
 * @param {Item} item
 */
export function thumbnail(item) {
  return item.width <= 64 ? `/media/${item.sha256}.png` : `/media/${item.sha256}.webp?size=128`;
}
