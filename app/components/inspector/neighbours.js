// @ts-check
// The images near the inspected one, as rows of small pictures that open in its place.

import { thumbnail } from "../../static/lib/api.js";
import { make, makeButton } from "../../static/lib/dom.js";
import { note, section } from "./parts.js";

/** @typedef {import("../../static/lib/types.js").Inspection} Inspection */
/** @typedef {import("../../static/lib/types.js").Neighbour} Neighbour */

/** @param {Inspection} found */
export function neighbours(found) {
  const { features, classes } = found;
  if (features === null) {
    const words = "Its neighbours are known once features are computed, on the Explore page.";
    return [section("Alike", note(words))];
  }
  const groups = /** @type {[string, Neighbour[], string][]} */ ([
    ["Near-duplicates", found.duplicates, "None."],
    ["Nearest real images", found.real, "There are no real images with features."],
    ["Nearest synthetic images", found.synthetic, "There are no other synthetic images with features."],
  ]);
  return groups.map(([title, near, none]) => {
    const content = near.length ? row(near, classes) : note(none);
    const part = section(title, content);
    part.title = `Distances between features of ${features}, from 0 (the same direction) to 2`;
    return part;
  });
}

/** @param {Neighbour[]} near @param {string[]} classes */
function row(near, classes) {
  const tiles = near.map((each) => {
    const image = make("img");
    image.src = thumbnail(each);
    image.alt = "";
    const name = each.class_index === null ? "no class" : classes[each.class_index];
    const words = make("span", "", make("span", "", name), make("em", "", each.distance.toFixed(2)));
    const button = makeButton("sa-inspector-near");
    button.dataset.saImage = String(each.image_id);
    button.setAttribute("aria-label", `image ${each.image_id}, ${name}, distance ${each.distance.toFixed(2)}`);
    button.append(image, words);
    return button;
  });
  const list = make("div", "sa-inspector-row", ...tiles);
  list.dataset.saAmong = near.map(({ image_id }) => image_id).join(",");
  return list;
}
