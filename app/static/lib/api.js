// @ts-check
// Requests to the app's own routes: JSON in, JSON out, and one type of error.

/** @typedef {import("./types.js").Item} Item */

/** The app replied with an error, whose JSON is `body`; `status` 0: the app cannot be reached. */
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
 * The JSON at a path of the app. Throws ApiError.
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
 * Send JSON to the app; returns the JSON of the reply. Throws ApiError.
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
 * Records of images, in the order of the ids; ids that the workspace does not have are left out.
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
 * The URL of a thumbnail; that of the original if it is small.
 * @param {{ sha256: string, width: number }} item
 */
export function thumbnail(item) {
  return item.width <= 64 ? `/media/${item.sha256}.png` : `/media/${item.sha256}.webp?size=128`;
}
