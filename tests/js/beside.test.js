// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { preferred } from "../../app/components/viewer/offers.js";

/** @param {string[]} whys @returns {any[]} */
function offers(...whys) {
  return whys.map((why, index) => ({ why, item: { image_id: index + 1 } }));
}

test("the same sort of companion is shown beside the next image, else the first offer", () => {
  const found = offers(
    "Prior: a.dcm",
    "Nearest real, distance 0.12",
    "Nearest real, distance 0.30",
    "File after: b.dcm",
  );
  assert.equal(preferred(found, "Nearest real").item.image_id, 2);
  assert.equal(preferred(found, "File after").item.image_id, 4);
  assert.equal(preferred(found, "Drawn from").item.image_id, 1);
  assert.equal(preferred(found, "").item.image_id, 1);
  assert.equal(preferred([], "Prior"), undefined);
});
