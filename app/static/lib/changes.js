// @ts-check
// Whether anything was written to the workspace since the page last heard of it.

/** @type {string | null} */
let known = null;
/** @type {(() => void)[]} */
const listeners = [];

/** The state of the database, as a poll found it: calls the listeners if it is new. @param {string} state */
export function noteState(state) {
  if (state === known) return;
  known = state;
  for (const listener of listeners) listener();
}

/** Call back now, if a state is known, and at every new one. @param {() => void} listener */
export function onChange(listener) {
  listeners.push(listener);
  if (known !== null) listener();
}
