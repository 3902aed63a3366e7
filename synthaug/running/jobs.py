"""Long work: rows in the job table, worked by one process at a time, resumable.

Whoever holds the workspace's lock works the queue. What a killed process left running is queued again, and
each kind of job is written so that going on is the same as never having stopped.
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
    """What a handler is given: its job, a way to report, and a way to notice that it should stop."""

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
        """Say how far the work is; ``result`` entries become visible to whoever watches. Raises Cancelled."""
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
        """Store ``result`` entries at once: a job that goes on after a kill finds them again."""
        self.result.update(result)
        table.update(self.workspace.db, self.job.id, done=self._done, note=self._note, result=self.result)

    def should_cancel(self) -> bool:
        """Whether someone asked the job to stop (looked up a few times a second)."""
        if not self._cancelled and time.monotonic() - self._checked_at >= REPORT_SECONDS:
            self._checked_at = time.monotonic()
            self._cancelled = table.cancel_requested(self.workspace.db, self.job.id)
        return self._cancelled


Handler = Callable[[JobContext], Json]
"""Runs a job; returns its result, or the part of it that was not stored before."""


class JobQueue:
    """The job table as pages and commands use it."""

    def __init__(self, workspace: Workspace) -> None:
        self._db = workspace.db

    def submit(self, kind: str, params: Json, total: int = 0) -> int:
        """Queue a job; returns its id."""
        return table.submit(self._db, kind, params, total)

    def get(self, job_id: int) -> Job:
        """One job. Raises UnknownName."""
        return table.get(self._db, job_id)

    def list(self, limit: int | None = None, kinds: tuple[str, ...] | None = None) -> list[Job]:
        """Jobs, newest first."""
        return table.latest(self._db, limit, kinds)

    def cancel(self, job_id: int) -> None:
        """Ask a job to stop; what it made so far is kept."""
        table.request_cancel(self._db, job_id)

    def resume(self, job_id: int) -> None:
        """Let a cancelled or failed job go on where it stopped."""
        table.requeue(self._db, job_id)


def work_queue(
    workspace: Workspace,
    handlers: Mapping[str, Handler],
    stopping: threading.Event,
    idle_seconds: float = math.inf,
) -> None:
    """Work the jobs of a workspace, oldest first, until ``stopping`` is set or none came for ``idle_seconds``.

    What a dead process left running is queued again first, so the caller holds ``workspace.lock()``. A job at hand is
    finished before ``stopping`` is looked at.
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
        except SynthaugError:  # a full disk, a busy database: the job is taken up again when that is over
            logger.exception("the job table cannot be used; trying again")
            left_behind = True
            stopping.wait(RETRY_SECONDS)
        idle_since = time.monotonic()


def work(context: JobContext, handlers: Mapping[str, Handler]) -> Job:
    """Run one claimed job to its end and close its row; a failure is recorded, never raised."""
    job, db = context.job, context.workspace.db
    try:
        if job.kind not in handlers:
            raise UserError(f"this synthaug knows no job of the kind {job.kind!r}; upgrade it")
        result = dict(handlers[job.kind](context))
        table.finish(db, job.id, "done", result={**context.result, **result})
    except Cancelled:
        table.finish(db, job.id, "cancelled", result=context.result)
    except Exception as error:
        known = explain(error)
        if known is None:
            logger.exception("job %d (%s) failed", job.id, job.kind)
        said = f"{type(error).__name__}: {error}" if known is None else str(known)
        table.finish(db, job.id, "failed", result=context.result, error=said)
    return table.get(db, job.id)


def run_to_end(
    workspace: Workspace,
    job_id: int,
    handlers: Mapping[str, Handler],
    report: Callable[[int, int, str], None] | None = None,
) -> Job:
    """Work a job here, or wait while another process (an open app) works it; returns it closed."""
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
    """Work the queue, oldest first, until this job is closed."""
    while table.get(workspace.db, job_id).state == "queued":
        claimed = table.claim_next(workspace.db)
        if claimed is None:
            return
        work(JobContext(workspace, claimed, report if claimed.id == job_id else None), handlers)
