// @ts-check
// How fast a job goes and how long it will take, from the numbers that it reports.

/** @typedef {import("../../static/lib/types.js").Job} Job */

/** @param {Job} job */
export function isActive(job) {
  return job.state === "running" || job.state === "queued";
}

/**
 * Units a second: what the job measured itself, else what it did since it was started. 0 where nobody knows.
 * @param {Job} job
 * @param {number} now milliseconds since 1970
 */
export function perSecond(job, now) {
  if (job.result.rate !== undefined) return job.result.rate;
  const seconds = job.started_at === null ? 0 : (now - Date.parse(job.started_at)) / 1000;
  return job.done && seconds > 0 ? job.done / seconds : 0;
}

/**
 * Seconds until a running job ends; null where nobody knows.
 * @param {Job} job
 * @param {number} now milliseconds since 1970
 */
export function secondsLeft(job, now) {
  const rate = perSecond(job, now);
  return job.state === "running" && rate > 0 && job.total ? (job.total - job.done) / rate : null;
}

/**
 * The part that is done, 0..1.
 * @param {Job} job
 */
export function share(job) {
  if (job.state === "done") return 1;
  return job.total ? job.done / job.total : 0;
}
