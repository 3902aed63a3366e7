// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  blandAltman,
  canTrain,
  figureRows,
  measuredWords,
  standingWords,
  ticks,
} from "../../app/components/landmarks/agreement.js";
import { outcomeWords } from "../../app/components/landmarks/files.js";
import { isLocked } from "../../app/components/landmarks/lock.js";

/** @type {any} */
const agreement = { mean_absolute_error: 4.26, bias: -1.04, low: -9, high: 6.92, pearson: 0.871, spearman: null };
/** @type {any} */
const report = {
  model: "landmarks-2",
  measured_on: "held out",
  images: 2,
  train_images: 11,
  point_error: 3.14,
  accuracy: 0.875,
  angles: { left: agreement, right: agreement, all: agreement },
};
/** @type {any} */
const angles = [
  { name: "left", title: "Left" },
  { name: "right", title: "Right" },
];

test("figures stand in the order of the scheme, all angles last", () => {
  const rows = figureRows(report, angles);
  assert.deepEqual(
    rows.map(([title]) => title),
    ["Left", "Right", "All angles"],
  );
  assert.deepEqual(rows[0], ["Left", "4.3°", "−1.0°", "−9.0° to +6.9°", "0.87", "–"]);
  assert.equal(figureRows(report, angles.slice(0, 1)).length, 1); // one angle is all of them
  assert.deepEqual(figureRows({ ...report, angles: {} }, angles), []);
});

test("it is said on what a model was measured", () => {
  const held = measuredWords(report);
  assert.match(held, /trained on 11 images and measured on 2 training images that were held out\./);
  assert.match(held, /3\.1 px off on average\. The class that the angles make is right in 88%/);
  const tested = measuredWords({ ...report, measured_on: "test", images: 1, accuracy: null });
  assert.match(tested, /measured on 1 real test image\./);
  assert.doesNotMatch(tested, /class/);
});

/** @param {object} changed @returns {any} */
function standing(changed) {
  return { scheme: "hip", placed: 0, needed: 4, new: 0, job: null, report: null, ...changed };
}

test("the panel says what is missing, what is new, and what runs", () => {
  assert.equal(standingWords(standing({ placed: 3 })), "A model needs 1 more image");
  assert.equal(standingWords(standing({ placed: 4 })), "No model yet, 4 images to learn from");
  assert.equal(standingWords(standing({ placed: 9, new: 5, report })), "landmarks-2: 5 new images since");
  assert.equal(standingWords(standing({ placed: 9, report })), "landmarks-2 is up to date");
  const job = { state: "running", note: "epoch 3: 8.10 degrees off" };
  assert.equal(standingWords(standing({ placed: 9, job, report })), "Training: epoch 3: 8.10 degrees off");
});

test("it is trained with enough images, and once at a time", () => {
  assert.deepEqual(
    [
      { placed: 3 },
      { placed: 4 },
      { placed: 4, job: { state: "queued" } },
      { placed: 4, job: { state: "failed" } },
    ].map((each) => canTrain(standing(each))),
    [false, true, false, true],
  );
});

test("a point for each angle: the mean of both readings, and model minus person", () => {
  const measured = [
    { image_id: 7, sha256: "", error: 4, true: { left: 100, right: 90 }, read: { left: 96, right: 91 } },
  ];
  assert.deepEqual(blandAltman(measured, ["left", "right"]), [
    { image_id: 7, name: "left", mean: 98, difference: -4 },
    { image_id: 7, name: "right", mean: 90.5, difference: 1 },
  ]);
  assert.deepEqual(blandAltman([{ ...measured[0], read: { left: Number.NaN, right: 91 } }], ["left"]), []);
});

test("ticks are round, span the values and are never too many", () => {
  assert.deepEqual(ticks([-9, 0, 6.9]), [-10, -5, 0, 5, 10]);
  assert.deepEqual(ticks([101.2]), [101, 101.5]);
  for (const span of [0.5, 3, 17, 44, 180]) {
    const marks = ticks([80, 80 + span]);
    assert.ok(marks[0] <= 80 && marks[marks.length - 1] >= 80 + span, String(span));
    assert.ok(marks.length >= 2 && marks.length <= 7, `${span}: ${marks}`);
  }
});

test("a locked test image takes landmarks once, if its class is known", () => {
  /** @type {any} */
  const locked = { locked: true, label_value: "class", landmarks: { origin: "answer" } };
  assert.equal(isLocked(locked), true);
  for (const free of [{ locked: false }, { landmarks: { origin: "model" } }, { landmarks: null }])
    assert.equal(isLocked({ ...locked, ...free }), false, JSON.stringify(free));
  const hidden = { label_value: null, landmarks: { origin: "start" } }; // a blind reading
  assert.equal(isLocked({ ...locked, ...hidden }), true);
  assert.equal(isLocked(null), false);
});

test("a file's rows are counted, and exchanged sides are named", () => {
  const outcome = { recorded: 1, unchanged: 0, skipped: [], skipped_count: 0, swapped: [] };
  assert.equal(outcomeWords(outcome), "1 image recorded.");
  assert.equal(
    outcomeWords({ ...outcome, recorded: 0, unchanged: 2, skipped_count: 3, swapped: ["a.dcm"] }),
    "0 images recorded, 2 images had these landmarks already, 3 rows skipped. " +
      "Left and right look exchanged on: a.dcm.",
  );
});
