"""The routes of the job strip: the latest jobs, and stopping or resuming one."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter

from synthaug.records import Job
from synthaug.stages import uploads

from .accounts.person import Asking
from .context import AppContext
from .replies import Done, extended

RECENT_JOBS = 20
SHOWN_PARAMS = ("template", "label", "generator", "count", "source", "model", "view", "base", "name")
SHOWN_RESULTS = ("generated", "skipped", "seconds", "added", "duplicates", "model", "cut", "rate", "unit")


@dataclass(frozen=True, slots=True)
class ShownJob(Job):
    """A job without the parameters and results that only the stages read; ``result`` counts the rejected files."""

    resumable: bool


@dataclass(frozen=True, slots=True)
class Jobs:
    """The latest jobs, newest first, and the state of the database, which changes whenever anything is written."""

    jobs: list[ShownJob]
    state: str


def jobs_router(context: AppContext) -> APIRouter:
    """``/data/jobs``, ``/data/jobs/ID/cancel``, ``/data/jobs/ID/resume``."""
    router = APIRouter(prefix="/data")
    workspace = context.workspace

    @router.get("/jobs")
    def jobs(who: Asking) -> Jobs:
        state = context.changes.state()  # before the jobs, so that a page never misses a change
        latest = context.jobs.list(RECENT_JOBS) if who.may("reviewer") else []
        return Jobs([shown_job(job, uploads.is_resumable(workspace, job)) for job in latest], state)

    @router.post("/jobs/{job_id}/cancel")
    def cancel(job_id: int) -> Done:
        context.jobs.get(job_id)
        context.jobs.cancel(job_id)
        uploads.remove_cancelled(workspace, context.jobs.get(job_id))
        return Done()

    @router.post("/jobs/{job_id}/resume")
    def resume(job_id: int) -> Done:
        uploads.check_resumable(workspace, context.jobs.get(job_id))
        context.jobs.resume(job_id)
        return Done()

    return router


def shown_job(job: Job, resumable: bool) -> ShownJob:
    """What a page shows of a job."""
    params = {name: job.params[name] for name in SHOWN_PARAMS if name in job.params}
    result = {name: job.result[name] for name in SHOWN_RESULTS if name in job.result}
    result["rejected"] = len(job.result.get("rejected", ()))
    return extended(ShownJob, job, params=params, result=result, resumable=resumable)
