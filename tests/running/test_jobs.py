"""The job queue: worked in order, cancelled, resumed, taken over from the dead; real rows, real threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from synthaug.errors import UserError, WorkspaceInUse
from synthaug.running.jobs import Handler, JobContext, JobQueue, run_to_end, work_queue
from synthaug.store import jobs as table
from synthaug.workspace import Workspace


def count_up(context: JobContext) -> Mapping[str, Any]:
    """A handler that counts to its total, from where it stopped."""
    for done in range(context.result.get("counted", 0), context.job.params["to"]):
        context.keep(counted=done + 1)
        context.progress(done + 1, context.job.params["to"], f"at {done + 1}")
    return {"sum": context.result["counted"]}


def fail(context: JobContext) -> Mapping[str, Any]:
    raise UserError("the words of the error")


@contextmanager
def working(workspace: Workspace, handlers: Mapping[str, Handler]) -> Iterator[None]:
    """The queue is worked in another thread; the job at hand is finished at the end."""
    stopping = threading.Event()
    thread = threading.Thread(target=work_queue, args=(workspace, handlers, stopping))
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(30)
    assert not thread.is_alive()


HANDLERS = {"count": count_up, "fail": fail}


def test_a_job_runs_to_its_end_and_reports(workspace: Workspace) -> None:
    reported: list[tuple[int, int, str]] = []
    job_id = JobQueue(workspace).submit("count", {"to": 3}, 3)
    job = run_to_end(workspace, job_id, HANDLERS, lambda *args: reported.append(args))
    assert (job.state, job.result["sum"]) == ("done", 3)
    assert reported == [(1, 3, "at 1"), (2, 3, "at 2"), (3, 3, "at 3")]
    assert job.started_at is not None
    assert job.finished_at is not None
    assert job.started_at <= job.finished_at


def test_a_failure_keeps_its_words_and_the_queue_goes_on(workspace: Workspace) -> None:
    queue = JobQueue(workspace)
    first, second = queue.submit("fail", {}), queue.submit("count", {"to": 1})
    assert run_to_end(workspace, second, HANDLERS).state == "done"
    assert (queue.get(first).state, queue.get(first).error) == ("failed", "the words of the error")


def test_a_job_of_an_unknown_kind_fails_with_the_reason(workspace: Workspace) -> None:
    job = run_to_end(workspace, JobQueue(workspace).submit("sing", {}), HANDLERS)
    assert job.state == "failed"
    assert "'sing'" in job.error


def test_a_queued_job_that_is_cancelled_never_runs(workspace: Workspace) -> None:
    queue = JobQueue(workspace)
    job_id = queue.submit("count", {"to": 1})
    queue.cancel(job_id)
    assert run_to_end(workspace, job_id, HANDLERS).result == {}


def test_a_running_job_stops_when_asked_keeps_its_work_and_can_go_on(workspace: Workspace) -> None:
    queue = JobQueue(workspace)
    started = threading.Event()

    def until_cancelled(context: JobContext) -> Mapping[str, Any]:
        if context.result.get("kept"):
            return {"resumed": True}
        context.keep(kept=True)
        started.set()
        while True:
            context.progress(1, 9, "going")

    job_id = queue.submit("endless", {}, 9)
    with workspace.lock("test"), working(workspace, {"endless": until_cancelled}):
        assert started.wait(30)
        queue.cancel(job_id)
    assert (queue.get(job_id).state, queue.get(job_id).result) == ("cancelled", {"kept": True})
    queue.resume(job_id)
    job = run_to_end(workspace, job_id, {"endless": until_cancelled})
    assert (job.state, job.result["resumed"]) == ("done", True)


def test_a_job_of_a_dead_process_resumes_where_it_stopped(workspace: Workspace) -> None:
    job_id = JobQueue(workspace).submit("count", {"to": 5}, 5)
    claimed = table.claim_next(workspace.db)
    assert claimed is not None
    JobContext(workspace, claimed).keep(counted=3)  # as far as the dead one came
    reported: list[int] = []
    job = run_to_end(workspace, job_id, HANDLERS, lambda done, total, note: reported.append(done))
    assert reported == [4, 5]
    assert job.result["sum"] == 5


def test_a_full_disk_delays_a_job_and_loses_nothing(workspace: Workspace) -> None:
    def fill_the_disk_once(context: JobContext) -> Mapping[str, Any]:
        if context.result.get("kept"):
            return {"finished": True}
        context.keep(kept=True)
        context.workspace.db.query(
            "PRAGMA max_page_count = 1"
        )  # this connection may not grow the file any more
        context.keep(long="x" * 100_000)
        raise AssertionError("the disk was not full")

    job_id = JobQueue(workspace).submit("fill", {})
    with workspace.lock("test"), working(workspace, {"fill": fill_the_disk_once}):
        job = run_to_end(Workspace.open(workspace.root), job_id, {})
    assert (job.state, job.result) == ("done", {"kept": True, "finished": True})


def test_a_workspace_has_one_worker_at_a_time(workspace: Workspace) -> None:
    other = Workspace.open(workspace.root)
    with (
        workspace.lock("first"),
        pytest.raises(WorkspaceInUse, match="in use by synthaug first"),
        other.lock("second"),
    ):
        pass
    with other.lock("second"):
        pass


def test_a_command_waits_while_an_open_app_works_its_job(workspace: Workspace) -> None:
    with workspace.lock("app"), working(workspace, HANDLERS):
        other = Workspace.open(workspace.root)
        job = run_to_end(other, JobQueue(other).submit("count", {"to": 2}), HANDLERS)
    assert (job.state, job.result["sum"]) == ("done", 2)
