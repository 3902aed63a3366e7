"""Run a piece of work in a process of its own, forked from one that has loaded everything, and kill it.

Starting Python and torch takes longer than most of the work; a fork is ready at once, so hundreds of kills fall
within the work itself.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from synthaug.errors import UserError

Work = Callable[[], None]
POLL_SECONDS = 0.001


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit code (None: killed), its output, and how long it ran."""

    code: int | None
    output: str
    seconds: float


def warm_up(networks: bool) -> None:
    """Load once what the work would load; one thread a library, for a fork takes none along."""
    os.environ["OMP_NUM_THREADS"] = "1"
    os.environ["TQDM_DISABLE"] = "1"
    from synthaug.stages import backup, importing, label, verify  # noqa: F401

    if networks:
        import diffusers
        import torch
        import transformers

        torch.set_num_threads(1)
        _ = diffusers.StableDiffusionPipeline, transformers.CLIPTextModel, transformers.CLIPTokenizerFast


def run(
    work: Work, log: Path, kill_after: float | None = None, at_the_kill: Callable[[], None] | None = None
) -> Ended:
    """Run ``work`` to its end, or kill it (SIGKILL) after that many seconds.

    ``at_the_kill`` is called when the process is stopped for good but still there: its files are as the kill
    leaves them.
    """
    began = time.monotonic()
    pid = os.fork()
    if pid == 0:
        _child(work, log)
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        seconds = time.monotonic() - began
        if ended:
            return Ended(os.waitstatus_to_exitcode(status), log.read_text(errors="replace"), seconds)
        if kill_after is not None and seconds >= kill_after:
            break
        time.sleep(POLL_SECONDS)
    os.kill(pid, signal.SIGSTOP)
    if at_the_kill is not None:
        at_the_kill()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return Ended(None, log.read_text(errors="replace"), seconds)


def _child(work: Work, log: Path) -> None:
    """Never returns."""
    code = 1
    try:
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        work()
        code = 0
    except SystemExit as error:
        code = int(error.code or 0)
    except UserError as error:  # as the command line says it
        print(f"Error: {error}", file=sys.stderr)
        code = 2
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
