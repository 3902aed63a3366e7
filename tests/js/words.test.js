// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { count, duration, percent } from "../../app/static/lib/words.js";

test("one thing is singular, and thousands are set apart", () => {
  assert.equal(count(1, "image"), "1 image");
  assert.equal(count(0, "image"), "0 images");
  assert.equal(count(12345, "image"), "12,345 images");
});

test("a share below all is never rounded to all", () => {
  assert.equal(percent(0.994), "99%");
  assert.equal(percent(0.999), "99%");
  assert.equal(percent(0.9995), "100%");
  assert.equal(percent(0), "0%");
});

test("a duration is rounded up to what is said", () => {
  assert.equal(duration(0.2), "1 s");
  assert.equal(duration(59.5), "1 min 0 s");
  assert.equal(duration(320), "5 min 20 s");
  assert.equal(duration(9000), "2 h 30 min");
  assert.equal(duration(3 * 3600 - 20), "3 h 0 min");
});
