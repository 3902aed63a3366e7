// @ts-check
// Who is logged in; what pages remember in the browser, and hand to one another.

import { getJson, postJson } from "./api.js";

/** @typedef {{ name: string, role: "annotator" | "reviewer" | "owner", shared: boolean }} Person `shared`: others have accounts */

const SELECTION = "synthaug.selection";
const OPENED = "synthaug.selection.opened";

/**
 * A stored value, or the fallback where there is none or it cannot be read.
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

/** An id that no other operation has; `crypto.randomUUID` is missing on a page that came over plain HTTP. */
export function operationId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @type {Promise<Person> | null} */
let opened = null;

/** Who opened this page; asked once. Throws ApiError. @returns {Promise<Person>} */
export function openedBy() {
  opened ??= getJson("/data/me").catch((error) => {
    opened = null;
    throw error;
  });
  return opened;
}

/**
 * Send what a person says. The app signs it with whoever is logged in, and takes it only while that is the person
 * who opened this page. Throws ApiError.
 * @param {string} path
 * @param {unknown} body
 */
export async function postSigned(path, body) {
  const { name } = await openedBy();
  return postJson(path, body, { "X-Synthaug-Person": encodeURIComponent(name) });
}

/** The ids that another page chose for review. @returns {number[]} */
export function selection() {
  return stored(SELECTION, { ids: [] }, sessionStorage).ids;
}

/** Whether the selection is new since this was last asked. */
export function selectionIsNew() {
  const made = sessionStorage.getItem(SELECTION);
  if (!made || made === sessionStorage.getItem(OPENED)) return false;
  sessionStorage.setItem(OPENED, made);
  return true;
}

/**
 * Open the Label page on these images.
 * @param {number[]} ids
 * @param {string} from which page chose them
 */
export function review(ids, from) {
  sessionStorage.setItem(SELECTION, JSON.stringify({ ids, from }));
  location.href = "/label?scope=selection";
}
