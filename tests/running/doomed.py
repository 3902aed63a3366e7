"""A worker process whose jobs end in ways of their own: ``python -m tests.running.doomed WORKSPACE``."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from synthaug.running.job_process import JobProcess, serve_queue
from synthaug.running.jobs import JobContext
from synthaug.workspace import Workspace

MODULE = "tests.running.doomed"
APP = "app"  # as second argument: be the app that starts the worker


def die(_: JobContext) -> Mapping[str, Any]:
    """End as the system ends what takes too much memory."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


def identify(_: JobContext) -> Mapping[str, Any]:
    """Which process works this job, and how it is ranked."""
    return {"pid": os.getpid(), "niceness": os.nice(0)}


def endless(context: JobContext) -> Mapping[str, Any]:
    """Go on for ever the first time; end at once when it is taken up again."""
    if context.result.get("pid"):
        return {"taken_up": True}
    context.keep(pid=os.getpid())
    while True:
        time.sleep(1)  # deaf: it never asks whether it should stop


HANDLERS = {"die": die, "identify": identify, "endless": endless}


def be_the_app(root: Path) -> None:
    """Hold the workspace and its worker until killed."""
    workspace = Workspace.open(root)
    with workspace.lock("serve") as lock:
        JobProcess(workspace, MODULE, lock).start()
        signal.pause()


if __name__ == "__main__":
    if sys.argv[2:] == [APP]:
        be_the_app(Path(sys.argv[1]))
    else:
        serve_queue(Path(sys.argv[1]), HANDLERS, idle_seconds=0.5)
