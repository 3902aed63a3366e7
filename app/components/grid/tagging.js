// @ts-check
// Tags for the marked images: put one on all of them, or take it off. Events on document:
//   out  synthaug:tagged   some images have other tags now

import { getJson } from "../../static/lib/api.js";
import { announce, find } from "../../static/lib/dom.js";
import { postSigned } from "../../static/lib/session.js";
import { count } from "../../static/lib/words.js";

/** Put a tag on images, or take it off; how many were changed. Throws ApiError. @param {number[]} ids @param {string} tag @param {boolean} tagged */
export async function putTag(ids, tag, tagged) {
  const { changed } = await postSigned("/data/tags", { ids, tag, tagged });
  announce("synthaug:tagged");
  return Number(changed);
}

export class Tagging {
  /** @param {HTMLElement} root of the grid */
  constructor(root) {
    this.box = find(root, '[data-part="tag"]', HTMLInputElement);
    this.known = find(root, "datalist", HTMLDataListElement);
    this.list();
  }

  /** Offer the tags that there are. */
  async list() {
    const { counts } = await getJson("/data/tags").catch(() => ({ counts: {} }));
    this.known.replaceChildren(...Object.keys(counts).map((name) => new Option(name)));
  }

  /**
   * What was done, in words. Throws ApiError.
   * @param {number[]} ids
   * @param {boolean} tagged
   */
  async put(ids, tagged) {
    const tag = this.box.value.trim();
    if (!tag) throw new Error("Write the tag first.");
    const changed = await putTag(ids, tag, tagged);
    await this.list();
    return `${count(changed, "image")} ${tagged ? "tagged" : "no longer tagged"} "${tag}"`;
  }
}
