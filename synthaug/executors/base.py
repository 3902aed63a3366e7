"""The executor seam: a job's tasks in, their files out in the order of the tasks, whoever does them and dies of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import import_module
from typing import Any, Protocol

from synthaug import __version__
from synthaug.parsing import JsonObject

ShouldCancel = Callable[[], bool]
Files = Mapping[str, bytes]
"""What a task makes: bytes by name."""


@dataclass(frozen=True, slots=True)
class ExecutorSpec:
    """Who is to do the tasks. ``workers``: how many at a time; None: as many as there is room for.

    ``address``: of a Ray cluster, HOST:PORT, "auto" or "local". ``shards``: a folder or URL that every worker reaches;
    "": in the workspace. ``shard_size``: images a shard; None: by the size of the job.
    """

    name: str = "serial"
    workers: int | None = None
    address: str = ""
    shards: str = ""
    shard_size: int | None = None

    def to_json(self) -> JsonObject:
        """The fields as JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Task:
    """One part of a job. ``key`` names it in the job's folder; ``payload`` (JSON-ready) says what to make."""

    key: str
    payload: Any = None


@dataclass(frozen=True, slots=True)
class Work:
    """What a worker needs to know of a job. ``maker``: "module:Class", made with ``params`` (JSON-ready).

    ``version``: workers of another release could make something else, and are refused.
    """

    maker: str
    params: Mapping[str, Any]
    version: str = field(default=__version__)

    def to_bytes(self) -> bytes:
        """As it lies in the job's folder."""
        return json.dumps(asdict(self), sort_keys=True).encode()

    @property
    def digest(self) -> str:
        """SHA-256: equal works make equal files from equal tasks."""
        return hashlib.sha256(self.to_bytes()).hexdigest()


class Maker(Protocol):
    """Makes the files of tasks, on one device. Equal payloads give equal files."""

    def make(self, payload: Any, should_cancel: ShouldCancel) -> Iterator[Files]:
        """The files of a task, piece by piece. Raises Cancelled."""


@dataclass(frozen=True, slots=True)
class Part:
    """Files of a task, all (from a shard) or some of them (from this process); ``last``: nothing of it follows."""

    task: Task
    files: Files
    last: bool


class Executor(Protocol):
    """Does tasks."""

    def run(self, work: Work, tasks: Sequence[Task], should_cancel: ShouldCancel) -> Iterator[Part]:
        """The files of every task, in the order of ``tasks``.

        Asking for the next part says that the last one is kept for good: its shard is removed. Called again after a
        kill with the tasks that are left, it takes up the shards that are there. Raises Cancelled, UserError.
        """


def load_maker(work: Work) -> Maker:
    """A maker in this process."""
    module, _, attribute = work.maker.partition(":")
    maker: Maker = getattr(import_module(module), attribute)(**work.params)
    return maker
