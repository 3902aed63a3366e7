// @ts-check
// The tags of an image: each with a way to take it off, and a box to put another one on.

import { make, makeButton } from "../../static/lib/dom.js";
import { moment, note, section } from "./parts.js";

/** @typedef {import("../../static/lib/types.js").Inspection} Inspection */
/** @typedef {(tag: string, tagged: boolean) => void} PutTag */

/** @param {Inspection} found @param {PutTag} put */
export function tagSection({ tags, taggings }, put) {
  const chips = tags.map((tag) => chip(tag, put));
  const form = make("form", "sa-inspector-tag");
  const box = make("input");
  box.type = "text";
  box.maxLength = 60;
  box.placeholder = "Another tag";
  box.setAttribute("aria-label", "Another tag");
  const add = makeButton("sa-button small", "Tag");
  add.type = "submit";
  form.append(box, add);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (box.value.trim()) put(box.value.trim(), true);
  });
  const last = taggings.at(-1);
  const words =
    last && `${last.person} ${last.tagged ? "put on" : "took off"} "${last.tag}", ${moment(last.created_at)}`;
  const said = words ? note(words) : null;
  return section("Tags", make("div", "", make("div", "sa-inspector-tags", ...chips, form), said));
}

/** @param {string} tag @param {PutTag} put */
function chip(tag, put) {
  const off = makeButton("sa-scatter-link", "×", () => put(tag, false));
  off.setAttribute("aria-label", `Take off the tag ${tag}`);
  return make("span", "sa-chip", tag, off);
}
