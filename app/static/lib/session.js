// @ts-check
// Who is logged in; what pages store in the browser and pass to one another.

import { getJson, postJson } from "./api.js";

/** @typedef {{ name: string, role: "annotator" | "reviewer" | "owner", shared: boolean }} Person`shared`: the workspace has accounts */

const SELECTION = "synthaug.selection";
const OPENED = "synthaug.selection.opened";

/**
 * A stored value, or the fallback if there is none or it cannot be read.
 * @template T
 * @param {string} key
 * @param {T} fallback
 * @param {Storage} storage
 * @returns {T}
 */
export function stored(key, fallback, storage = localStorage) {
  try {
    return JSON.parse(storage.getItem(key) ?? "null") ?? fallback;
  } catch {
    return fallback;
  }
}

/** An id for an operation; `crypto.randomUUID` does not exist on pages that were loaded over plain HTTP. */
export function operationId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @type {Promise<Person> | null} */
let opened = null;

/** The person who opened this page; requested once. Throws ApiError. @returns {Promise<Person>} */
export function openedBy() {
  opened ??= getJson("/data/me").catch((error) => {
    opened = null;
    throw error;
  });
  return opened;
}

/**
 * Send something that the app signs with the name of the person who is logged in. The app refuses it if somebody else
 * opened this page. Throws ApiError.
 * @param {string} path
 * @param {unknown} body
 */
export async function postSigned(path, body) {
  const { name } = await openedBy();
  return postJson(path, body, { "X-Synthaug-Person": encodeURIComponent(name) });
}

/** The ids that another page selected for review. @returns {number[]} */
export function selection() {
  return stored(SELECTION, { ids: [] }, sessionStorage).ids;
}

/** Whether the selection has changed since the last call. */
export function selectionIsNew() {
  const made = sessionStorage.getItem(SELECTION);
  if (!made || made === sessionStorage.getItem(OPENED)) return false;
  sessionStorage.setItem(OPENED, made);
  return true;
}

/**
 * Open the Label page with these images.
 * @param {number[]} ids
 * @param {string} from the page that selected them
 */
export function review(ids, from) {
  sessionStorage.setItem(SELECTION, JSON.stringify({ ids, from }));
  location.href = "/label?scope=selection";
}
