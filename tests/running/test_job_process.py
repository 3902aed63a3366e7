"""An app's jobs in a process of their own: real processes, really killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from synthaug.records import Job
from synthaug.running.job_process import JobProcess, how_it_ended
from synthaug.running.jobs import JobQueue, run_to_end
from synthaug.workspace import Workspace

from .doomed import APP, HANDLERS, MODULE


@contextmanager
def app(workspace: Workspace) -> Iterator[JobQueue]:
    """What an open app does about jobs."""
    with workspace.lock("serve") as lock:
        worker = JobProcess(workspace, MODULE, lock)
        worker.start()
        try:
            yield JobQueue(workspace)
        finally:
            worker.stop()


def wait(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Until the condition holds. Fails when it never does."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


def closed(queue: JobQueue, job_id: int) -> Job:
    wait(lambda: queue.get(job_id).state not in ("queued", "running"))
    return queue.get(job_id)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_jobs_run_in_a_process_below_the_app_that_ends_when_idle(workspace: Workspace) -> None:
    with app(workspace) as queue:
        first = closed(queue, queue.submit("identify", {})).result
        assert first["pid"] != os.getpid()
        assert first["niceness"] == os.nice(0) + 10
        wait(lambda: not is_alive(first["pid"]))
        second = closed(queue, queue.submit("identify", {})).result
        assert second["pid"] not in (first["pid"], os.getpid())


def test_a_job_that_takes_its_process_down_fails_alone(workspace: Workspace) -> None:
    with app(workspace) as queue:
        fatal, harmless = queue.submit("die", {}), queue.submit("identify", {})
        job = closed(queue, fatal)
        assert (job.state, "was killed" in job.error, "memory" in job.error) == ("failed", True, True)
        assert closed(queue, harmless).state == "done"


def test_an_app_that_stops_ends_a_deaf_job_which_goes_on_at_the_next_start(workspace: Workspace) -> None:
    with app(workspace) as queue:
        job_id = queue.submit("endless", {})
        wait(lambda: "pid" in queue.get(job_id).result)
    left = queue.get(job_id)
    assert left.state == "running"
    assert not is_alive(left.result["pid"])
    assert run_to_end(workspace, job_id, HANDLERS).result["taken_up"]


def test_the_worker_of_a_killed_app_ends_and_lets_the_workspace_go(workspace: Workspace) -> None:
    queue = JobQueue(workspace)
    job_id = queue.submit("endless", {})
    command = [sys.executable, "-m", MODULE, str(workspace.root), APP]
    with subprocess.Popen(command) as process:
        wait(lambda: "pid" in queue.get(job_id).result)
        process.kill()
    with app(workspace):  # its worker may still live for a moment: the lock is its own as well
        assert closed(queue, job_id).result["taken_up"]


def test_the_end_of_a_process_is_put_into_words() -> None:
    assert "SIGSEGV" in how_it_ended(-11)
    assert how_it_ended(3) == "ended with exit status 3"
