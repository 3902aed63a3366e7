// @ts-check
// The speed of a job and the time left, from the numbers that it reports.

/** @typedef {import("../../static/lib/types.js").Job} Job */

/**
 * Units per second: as measured by the job, or else the average since its start. 0 if unknown.
 * @param {Job} job
 * @param {number} now milliseconds since 1970
 */
export function perSecond(job, now) {
  if (job.result.rate !== undefined) return job.result.rate;
  const seconds = job.started_at === null ? 0 : (now - Date.parse(job.started_at)) / 1000;
  return job.done && seconds > 0 ? job.done / seconds : 0;
}

/**
 * Seconds until a running job ends; null if unknown.
 * @param {Job} job
 * @param {number} now milliseconds since 1970
 */
export function secondsLeft(job, now) {
  const rate = perSecond(job, now);
  return job.state === "running" && rate > 0 && job.total ? (job.total - job.done) / rate : null;
}

/**
 * The share of the job that is done, 0..1.
 * @param {Job} job
 */
export function share(job) {
  if (job.state === "done") return 1;
  return job.total ? job.done / job.total : 0;
}
