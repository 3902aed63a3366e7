// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { perSecond, secondsLeft, share } from "../../app/components/jobs/estimate.js";

/** @typedef {import("../../app/static/lib/types.js").Job} Job */

const STARTED = Date.parse("2026-01-01T00:00:00Z");

/** @param {Partial<Job>} changes @returns {Job} */
function job(changes) {
  const base = { id: 1, kind: "generate", state: "running", note: "", params: {}, result: {}, error: null };
  const times = { started_at: "2026-01-01T00:00:00Z", finished_at: null, created_at: "2026-01-01T00:00:00Z" };
  return /** @type {any} */ ({ ...base, ...times, done: 20, total: 100, ...changes });
}

test("the rate that a job measured itself comes first", () => {
  assert.equal(perSecond(job({ result: { rate: 4 } }), STARTED + 1000), 4);
  assert.equal(secondsLeft(job({ result: { rate: 4 } }), STARTED + 1000), 20);
});

test("without one, it is what was done since the start", () => {
  assert.equal(perSecond(job({}), STARTED + 10_000), 2);
  assert.equal(secondsLeft(job({}), STARTED + 10_000), 40);
});

test("nobody knows before anything is done, without a total, or when the job does not run", () => {
  assert.equal(secondsLeft(job({ done: 0 }), STARTED + 10_000), null);
  assert.equal(secondsLeft(job({ result: { rate: 0 } }), STARTED + 10_000), null);
  assert.equal(secondsLeft(job({ total: 0 }), STARTED + 10_000), null);
  assert.equal(secondsLeft(job({ state: "queued" }), STARTED + 10_000), null);
});

test("a finished job is whole, whatever it counted", () => {
  assert.equal(share(job({ state: "done", done: 3, total: 0 })), 1);
  assert.equal(share(job({})), 0.2);
  assert.equal(share(job({ total: 0 })), 0);
});
