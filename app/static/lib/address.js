// @ts-check
// The page's state in its address, so that a link shows the same and Back goes back.

/**
 * What the address says; null where it says nothing.
 * @param {string} name
 */
export function parameter(name) {
  return new URLSearchParams(location.search).get(name);
}

/**
 * Write parameters into the address; null takes one out. `replace`: Back does not stop at what was there before.
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
