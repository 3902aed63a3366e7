// @ts-check
// The pieces that every section of the drawer is made of.

import { make } from "../../static/lib/dom.js";

/**
 * @param {string} title
 * @param {Node} content
 */
export function section(title, content) {
  return make("section", "sa-inspector-section", make("h3", "", title), content);
}

/** @param {string} text */
export function note(text) {
  return make("p", "sa-inspector-note", text);
}

/** @param {[string, Node | string | null][]} facts what is not known is left out */
export function factList(facts) {
  const known = facts.filter(([, value]) => value);
  return make(
    "dl",
    "sa-inspector-facts",
    ...known.flatMap(([term, value]) => [make("dt", "", term), make("dd", "", value)]),
  );
}

/** "2026-11-25 12:30". @param {string} iso */
export function moment(iso) {
  return iso.slice(0, 16).replace("T", " ");
}
