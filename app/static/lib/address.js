// @ts-check
// The state of the page in its address, so that it can be shared as a link and the Back button works.

/**
 * The value of a query parameter of the address; null if it is missing.
 * @param {string} name
 */
export function parameter(name) {
  return new URLSearchParams(location.search).get(name);
}

/**
 * Write parameters into the address; null removes one. `replace`: without a new entry in the browser's history.
 * @param {Record<string, string | null>} query
 * @param {{ replace?: boolean, hash?: Record<string, string | null> }} [how]
 */
export function setAddress(query, { replace = false, hash = {} } = {}) {
  const url = new URL(location.href);
  const after = new URLSearchParams(url.hash.slice(1));
  write(url.searchParams, query);
  write(after, hash);
  url.hash = after.toString();
  if (url.href === location.href) return;
  if (replace) history.replaceState(history.state, "", url);
  else history.pushState(history.state, "", url);
}

/**
 * @param {URLSearchParams} into
 * @param {Record<string, string | null>} values
 */
function write(into, values) {
  for (const [name, value] of Object.entries(values)) {
    if (value === null) into.delete(name);
    else into.set(name, value);
  }
}
