// @ts-check
// Which jobs are active, and which have ended.

/** @typedef {import("./types.js").Job} Job */

/** @param {Pick<Job, "state">} job */
export function isActive({ state }) {
  return state === "running" || state === "queued";
}

/**
 * A text that changes whenever another job has ended, for pages that then load their figures again.
 * @param {Pick<Job, "id" | "state">[]} jobs
 */
export function endedJobs(jobs) {
  return jobs
    .filter((job) => !isActive(job))
    .map(({ id }) => id)
    .join();
}
