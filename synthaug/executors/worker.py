"""A worker in a process or an actor of its own, which does tasks and writes their shards."""

from __future__ import annotations

import errno
import logging
import os
import socket
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Literal

from synthaug import __version__
from synthaug.errors import UserError, WorkspaceError
from synthaug.executors.base import Maker, Task, load_maker
from synthaug.executors.shards import WORK, Shards
from synthaug.storage import open_folder

logger = logging.getLogger(__name__)

Outcome = Literal["ready", "done", "user", "machine", "unfit", "error"]


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a worker to a request.

    The outcome is "user" for a mistake in the job, "machine" for a problem of this machine that may pass, "unfit" for a
    machine that cannot take part, and "error" for a bug.
    """

    outcome: Outcome
    text: str = ""

    def to_json(self) -> dict[str, str]:
        """The fields as JSON."""
        return asdict(self)


class Worker:
    """Does tasks of the job whose folder is at ``address``."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._maker: Maker | None = None

    def open(self) -> Answer:
        """Find the folder of the job and load its maker."""
        return _answered(self._open, "ready")

    def do(self, task: Task) -> Answer:
        """Do a task, unless its shard is finished."""
        return _answered(lambda: self._do(task), "done")

    def _open(self) -> None:
        self._shards = Shards(open_folder(self._address))
        try:
            work = self._shards.work()
        except FileNotFoundError as error:
            raise Unfit(
                f"it finds no {WORK} of the job in {self._address}; with --shards give a URL, or a folder that every "
                "machine mounts at the same path"
            ) from error
        if work.version != __version__:
            raise Unfit(
                f"it has synthaug {__version__} and the main process {work.version}; install the same release"
            )
        self._maker = load_maker(work)

    def _do(self, task: Task) -> None:
        if self._maker is None:
            raise RuntimeError("a task arrived before the worker was ready")
        if self._shards.has(task):
            return
        files: dict[str, bytes] = {}
        for piece in self._maker.make(task.payload, lambda: False):
            files |= piece
        self._shards.write(task, files)


class Unfit(UserError):
    """This machine cannot take part."""


def _answered(work: Callable[[], None], well: Outcome) -> Answer:
    """Run ``work`` and report the outcome, which is ``well`` if it raises nothing."""
    here = f"process {os.getpid()} on {socket.gethostname()}"
    try:
        work()
    except Unfit as error:
        return Answer("unfit", f"{here}: {error}")
    except (OSError, MemoryError, WorkspaceError) as error:
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        return Answer("machine", f"{here}: {'the disk is full' if full else error or type(error).__name__}")
    except UserError as error:
        return Answer("user", f"{here}: {error}")
    except Exception as error:
        logger.exception("a task failed")
        return Answer("error", f"{here}: {type(error).__name__}: {error}")
    return Answer(well)
