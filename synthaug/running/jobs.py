"""The job queue: resumable jobs in the job table, which one process at a time runs.

The process that holds the lock of the workspace runs the queue. Jobs of a killed process are queued again, and every
kind of job gives the same result when it resumes as without the interruption.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Mapping

from synthaug.errors import Cancelled, SynthaugError, UserError, WorkspaceInUse, explain
from synthaug.records import Job, Json
from synthaug.store import jobs as table
from synthaug.workspace import Workspace

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.25
REPORT_SECONDS = 0.2
RETRY_SECONDS = 2.0


class JobContext:
    """The argument of a handler: its job, and methods to report progress and to check for a request to stop."""

    def __init__(
        self, workspace: Workspace, job: Job, report: Callable[[int, int, str], None] | None = None
    ) -> None:
        self.workspace = workspace
        self.job = job
        self.result = dict(job.result)
        self._done, self._note = job.done, job.note
        self._report = report
        self._reported_at = 0.0
        self._checked_at = 0.0
        self._cancelled = False

    def progress(self, done: int, total: int, note: str, **result: object) -> None:
        """Report progress, and add entries to the ``result`` (stored a few times a second). Raises Cancelled."""
        self.result.update(result)
        self._done, self._note = done, note
        if self._report is not None:
            self._report(done, total, note)
        if time.monotonic() - self._reported_at >= REPORT_SECONDS or done == total:
            if total != self.job.total:
                table.set_total(self.workspace.db, self.job.id, total)
            table.update(self.workspace.db, self.job.id, done=done, note=note, result=self.result)
            self._reported_at = time.monotonic()
        if self.should_cancel():
            raise Cancelled("stopped on request")

    def keep(self, **result: object) -> None:
        """Add entries to the ``result`` and store it immediately, for a job that resumes after being killed."""
        self.result.update(result)
        table.update(self.workspace.db, self.job.id, done=self._done, note=self._note, result=self.result)

    def should_cancel(self) -> bool:
        """Whether a request to stop the job was made; checked a few times a second."""
        if not self._cancelled and time.monotonic() - self._checked_at >= REPORT_SECONDS:
            self._checked_at = time.monotonic()
            self._cancelled = table.cancel_requested(self.workspace.db, self.job.id)
        return self._cancelled


Handler = Callable[[JobContext], Json]
"""Runs a job; returns its result, or the part of it that was not stored before."""


class JobQueue:
    """The job table, for the app and the command line."""

    def __init__(self, workspace: Workspace) -> None:
        self._db = workspace.db

    def submit(self, kind: str, params: Json, total: int = 0) -> int:
        """Queue a job of ``total`` units; returns its id."""
        return table.submit(self._db, kind, params, total)

    def get(self, job_id: int) -> Job:
        """The job with this id. Raises UnknownName."""
        return table.get(self._db, job_id)

    def list(self, limit: int | None = None, kinds: tuple[str, ...] | None = None) -> list[Job]:
        """The latest jobs of these kinds (None: of all kinds), newest first."""
        return table.latest(self._db, limit, kinds)

    def latest(self, kind: str) -> Job | None:
        """The latest job of this kind, if there is any."""
        return next(iter(self.list(1, (kind,))), None)

    def cancel(self, job_id: int) -> None:
        """Request that a job stop; its results so far are kept."""
        table.request_cancel(self._db, job_id)

    def resume(self, job_id: int) -> None:
        """Queue a cancelled or failed job again; it resumes where it stopped."""
        table.requeue(self._db, job_id)


def work_queue(
    workspace: Workspace,
    handlers: Mapping[str, Handler],
    stopping: threading.Event,
    idle_seconds: float = math.inf,
) -> None:
    """Run the jobs of a workspace, oldest first, until ``stopping`` is set or no job was queued for ``idle_seconds``.

    Jobs of a killed process are queued again first, so that the caller must hold ``workspace.lock()``. The current job
    is finished before ``stopping`` is checked.
    """
    left_behind = True
    idle_since = time.monotonic()
    while not stopping.is_set() and time.monotonic() - idle_since < idle_seconds:
        try:
            if left_behind:
                table.requeue_orphans(workspace.db)
                left_behind = False
            job = table.claim_next(workspace.db)
            if job is None:
                stopping.wait(POLL_SECONDS)
                continue
            work(JobContext(workspace, job), handlers)
        except SynthaugError:  # such as a full disk or a busy database; the job is run again
            logger.exception("the job table cannot be used; trying again")
            left_behind = True
            stopping.wait(RETRY_SECONDS)
        idle_since = time.monotonic()


def work(context: JobContext, handlers: Mapping[str, Handler]) -> Job:
    """Run a claimed job and record its final state; errors are recorded, not raised."""
    job, db = context.job, context.workspace.db
    try:
        if job.kind not in handlers:
            raise UserError(
                f"this release of synthaug has no jobs of the kind {job.kind!r}; upgrade synthaug"
            )
        result = dict(handlers[job.kind](context))
        table.finish(db, job.id, "done", result={**context.result, **result})
    except Cancelled:
        table.finish(db, job.id, "cancelled", result=context.result)
    except Exception as error:
        known = explain(error)
        if known is None:
            logger.exception("job %d (%s) failed", job.id, job.kind)
        text = f"{type(error).__name__}: {error}" if known is None else str(known)
        table.finish(db, job.id, "failed", result=context.result, error=text)
    return table.get(db, job.id)


def run_to_end(
    workspace: Workspace,
    job_id: int,
    handlers: Mapping[str, Handler],
    report: Callable[[int, int, str], None] | None = None,
) -> Job:
    """Run a job in this process, or wait while another one (an open app) runs it; returns the finished job."""
    while (job := table.get(workspace.db, job_id)).state in ("queued", "running"):
        try:
            with workspace.lock("command"):
                table.requeue_orphans(workspace.db)
                _work_until_closed(workspace, job_id, handlers, report)
        except WorkspaceInUse:
            if report is not None:
                report(job.done, job.total, job.note or "waiting for the open app")
            time.sleep(POLL_SECONDS)
    return job


def _work_until_closed(
    workspace: Workspace,
    job_id: int,
    handlers: Mapping[str, Handler],
    report: Callable[[int, int, str], None] | None,
) -> None:
    """Run the queue, oldest job first, until this job is finished."""
    while table.get(workspace.db, job_id).state == "queued":
        claimed = table.claim_next(workspace.db)
        if claimed is None:
            return
        work(JobContext(workspace, claimed, report if claimed.id == job_id else None), handlers)
