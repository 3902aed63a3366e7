"""The interface of executors, which turn the tasks of a job into files, in order, even if workers die."""

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
"""The files that a task makes: bytes by name."""


@dataclass(frozen=True, slots=True)
class ExecutorSpec:
    """Which executor does the tasks, and its settings."""

    name: str = "serial"  # a key of ``EXECUTORS``
    workers: int | None = None  # None: one per device
    address: str = ""  # of a Ray cluster: HOST:PORT, "auto" or "local"
    shards: str = ""  # folder or URL that every worker can reach; "": in the workspace
    shard_size: int | None = None  # images per shard; None: by the size of the job

    def to_json(self) -> JsonObject:
        """The fields as JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Task:
    """One part of a job. ``key`` names it in the folder of the job; ``payload``, as JSON, describes what to make."""

    key: str
    payload: Any = None


@dataclass(frozen=True, slots=True)
class Work:
    """Everything that a worker needs to know about a job."""

    maker: str  # "module:Class" of a ``Maker``
    params: Mapping[str, Any]  # arguments of that class, as JSON
    version: str = field(
        default=__version__
    )  # workers of another release are refused, as their files may differ

    def to_bytes(self) -> bytes:
        """The content of the file in the folder of the job."""
        return json.dumps(asdict(self), sort_keys=True).encode()

    @property
    def digest(self) -> str:
        """SHA-256 (hex); works with equal digests make equal files from equal tasks."""
        return hashlib.sha256(self.to_bytes()).hexdigest()


class Maker(Protocol):
    """Makes the files of tasks on one device; equal payloads give equal files."""

    def make(self, payload: Any, should_cancel: ShouldCancel) -> Iterator[Files]:
        """The files of a task, in pieces. Raises Cancelled on request."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some or all files of a task; ``last`` is true if no more of its files follow."""

    task: Task
    files: Files
    last: bool


class Executor(Protocol):
    """Does the tasks of a job."""

    def run(self, work: Work, tasks: Sequence[Task], should_cancel: ShouldCancel) -> Iterator[Part]:
        """The files of every task, in the order of ``tasks``.

        When the caller asks for the next part, it has stored the previous one, whose shard is then removed. After a
        kill, call it again with the remaining tasks; it uses the shards that are finished. Raises Cancelled on request,
        and UserError if a task fails again and again or no worker is left.
        """


def load_maker(work: Work) -> Maker:
    """Create the maker in this process."""
    module, _, attribute = work.maker.partition(":")
    maker: Maker = getattr(import_module(module), attribute)(**work.params)
    return maker
