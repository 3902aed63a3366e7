// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { endedJobs, isActive } from "../../app/static/lib/job_states.js";

/** @typedef {import("../../app/static/lib/types.js").JobState} JobState */

/** @type {JobState[]} */
const STATES = ["queued", "running", "done", "failed", "cancelled"];
const jobs = STATES.map((state, id) => ({ id, state }));

test("a job that waits or runs is active", () => {
  assert.deepEqual(
    jobs.filter(isActive).map(({ state }) => state),
    ["queued", "running"],
  );
});

/** @type {{ id: number, state: JobState }[]} */
const [running, done] = [
  { id: 0, state: "running" },
  { id: 0, state: "done" },
];

test("the text of ended jobs changes when another one has ended, and only then", () => {
  const before = endedJobs(jobs);
  assert.equal(before, "2,3,4");
  assert.equal(endedJobs(jobs.map((job) => (job.id === 0 ? running : job))), before);
  assert.notEqual(endedJobs(jobs.map((job) => (job.id === 0 ? done : job))), before);
});
