"""The process that runs the jobs of an app, so that a training neither slows down labeling nor crashes the app.

It starts when a job is queued, with a lower priority than the app, and ends after being idle, which frees the memory of
the networks that it loaded. It runs a module whose ``main`` calls :func:`serve_queue`.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from synthaug.errors import SynthaugError
from synthaug.running.jobs import POLL_SECONDS, RETRY_SECONDS, Handler, work_queue
from synthaug.store import jobs as table
from synthaug.workspace import Workspace

logger = logging.getLogger(__name__)

IDLE_SECONDS = 600.0
STOP_SECONDS = 2.0  # for the current job to end; otherwise it resumes at the next start
NICENESS = 10  # so that the app responds quickly


class JobProcess:
    """Runs ``python -m MODULE WORKSPACE`` whenever jobs are queued; if it dies, its job is marked as failed."""

    def __init__(self, workspace: Workspace, module: str, lock: int | None) -> None:
        """``lock`` is the descriptor of ``workspace.lock()``, which the process shares until both have ended."""
        self._workspace = workspace
        self._command = [sys.executable, "-m", module, str(workspace.root)]
        self._lock = lock
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._watch, name="synthaug-worker", daemon=True)

    def start(self) -> None:
        """Start to watch the queue, unless the workspace is read-only."""
        if not self._workspace.read_only:
            self._thread.start()

    def stop(self) -> None:
        """End the process; a job that does not end within STOP_SECONDS resumes at the next start."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _watch(self) -> None:
        while not self._stopping.is_set():
            try:
                if table.has_work(self._workspace.db):
                    self._run_once()
            except SynthaugError:
                logger.exception("the job table cannot be used; retrying")
                self._stopping.wait(RETRY_SECONDS)
            self._stopping.wait(POLL_SECONDS)

    def _run_once(self) -> None:
        """Run the process until it ends; if it died, mark the running job as failed."""
        shared = () if self._lock is None else (self._lock,)
        with subprocess.Popen(  # noqa: S603 - our own interpreter and module
            self._command, stdin=subprocess.PIPE, pass_fds=shared
        ) as process:
            while process.poll() is None and not self._stopping.is_set():
                self._stopping.wait(POLL_SECONDS)
            if process.poll() is None:  # the app stops, and closes its end of the pipe; see serve_queue
                _end(process)
                return
        if process.returncode:
            logger.error("the worker process %s", how_it_ended(process.returncode))
            table.fail_running(self._workspace.db, f"the worker process {how_it_ended(process.returncode)}")
            self._stopping.wait(RETRY_SECONDS)


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None  # noqa: S101 - asked for above
    process.stdin.close()
    try:
        process.wait(2 * STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def how_it_ended(code: int) -> str:
    """Why a process ended, in words; ``code`` is that of subprocess, negative for a signal."""
    if code == -signal.SIGKILL:
        return "was killed, probably because memory ran out; resume the job, or use smaller batches or images"
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit status {code}"


def serve_queue(root: Path, handlers: Mapping[str, Handler], idle_seconds: float = IDLE_SECONDS) -> None:
    """Run the queue in this process until it is idle, or until the app closes the standard input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches both; the app then closes the pipe
    os.nice(NICENESS)
    stopping = threading.Event()
    threading.Thread(target=_follow_parent, args=(stopping,), daemon=True).start()
    workspace = Workspace.open(root)
    work_queue(workspace, handlers, stopping, idle_seconds)
    workspace.db.close()


def _follow_parent(stopping: threading.Event) -> None:
    """Wait until the pipe is closed, also by the death of the app; then end after at most STOP_SECONDS."""
    sys.stdin.buffer.read()
    stopping.set()
    threading.Event().wait(STOP_SECONDS)
    os._exit(0)  # every job can be killed at any moment
