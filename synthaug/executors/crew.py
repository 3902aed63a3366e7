"""The head's loop over workers that may die: hand out tasks, replace the dead, give on shards in order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from synthaug.errors import Cancelled, UserError
from synthaug.executors.base import Part, ShouldCancel, Task, Work
from synthaug.executors.dispatch import Dispatch
from synthaug.executors.shards import ShardDamaged, Shards
from synthaug.executors.worker import Said

LISTEN_SECONDS = 0.2
"""How long the head waits for workers before it looks whether it is to stop."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What came from a worker. ``said`` None: it is dead. ``task`` None: it was about getting ready."""

    worker: int
    task: int | None
    said: Said | None
    reason: str = ""  # of its death


class Crew(Protocol):
    """Workers, numbered from 0."""

    @property
    def size(self) -> int:
        """How many are to work at a time."""

    def start(self, worker: int) -> None:
        """Start a worker, or another in its place; it says when it is ready."""

    def give(self, worker: int, number: int, task: Task) -> None:
        """Send a task to a worker that is ready."""

    def listen(self, seconds: float) -> list[Heard]:
        """What workers said, at the latest after that time."""

    def stop(self, worker: int) -> None:
        """End a worker at once."""

    def close(self) -> None:
        """End all of them at once."""


def run_with_crew(
    gather: Callable[[str], Crew],
    shards: Shards,
    work: Work,
    tasks: Sequence[Task],
    should_cancel: ShouldCancel,
) -> Iterator[Part]:
    """See :class:`.base.Executor`. ``gather`` starts the crew for the folder at an address."""
    if tasks:
        shards.begin(work)
        finished = shards.finished()
        done = [number for number, task in enumerate(tasks) if task.key in finished]
        foreman = _Foreman(tasks, Dispatch(len(tasks), done), shards)
        yield from foreman.run(gather, should_cancel)
    shards.folder.clear()


class _Foreman:
    """One run of a job."""

    def __init__(self, tasks: Sequence[Task], dispatch: Dispatch, shards: Shards) -> None:
        self._tasks, self._dispatch, self._shards = tasks, dispatch, shards
        self._alive: set[int] = set()  # started, and not known to be dead
        self._ready: set[int] = set()

    def run(self, gather: Callable[[str], Crew], should_cancel: ShouldCancel) -> Iterator[Part]:
        crew: Crew | None = None
        try:
            for number, task in enumerate(self._tasks):
                while (files := self._finished(number)) is None:
                    crew = crew or self._gathered(gather)
                    self._listen(crew, LISTEN_SECONDS, should_cancel)
                yield Part(task, files, last=True)
                self._shards.remove(task)
                if crew is not None:
                    self._listen(crew, 0.0, should_cancel)
        finally:
            if crew is not None:
                crew.close()

    def _gathered(self, gather: Callable[[str], Crew]) -> Crew:
        crew = gather(self._shards.folder.address)
        for worker in range(min(crew.size, len(self._tasks) - len(self._dispatch.done))):
            crew.start(worker)
            self._alive.add(worker)
        return crew

    def _finished(self, number: int) -> dict[str, bytes] | None:
        """The files of a task; None while it is not finished."""
        if number not in self._dispatch.done:
            return None
        try:
            return self._shards.read(self._tasks[number])
        except ShardDamaged:
            self._shards.remove(self._tasks[number])
            self._dispatch.again(number)
            return None

    def _listen(self, crew: Crew, seconds: float, should_cancel: ShouldCancel) -> None:
        """Hand out tasks, and hear what became of them."""
        if should_cancel():
            raise Cancelled("stopped on request")
        for worker in sorted(self._ready):
            while (number := self._dispatch.next(worker, time.monotonic())) is not None:
                crew.give(worker, number, self._tasks[number])
        for heard in crew.listen(seconds):
            self._hear(crew, heard)
        if not self._alive and len(self._dispatch.done) < len(self._tasks):
            raise UserError(
                f"no worker is left: {'; '.join(sorted(set(self._dispatch.reasons())))}. What was made is kept; mend "
                "that and resume the job"
            )

    def _hear(self, crew: Crew, heard: Heard) -> None:
        said, worker, now = heard.said, heard.worker, time.monotonic()
        if said is None:
            self._replace(crew, worker, self._dispatch.lost(worker, heard.reason, now))
        elif said.outcome == "user":
            raise UserError(said.text)
        elif said.outcome == "unfit":
            self._dispatch.dismissed(worker, said.text)
            self._replace(crew, worker, again=False)
        elif said.outcome == "ready":
            self._dispatch.joined(worker)
            self._ready.add(worker)
        elif heard.task is None:
            self._replace(crew, worker, self._dispatch.lost(worker, said.text, now))
        elif said.outcome == "done":
            self._dispatch.finished(worker, heard.task, now)
        else:
            blameless = said.outcome == "machine"
            if not self._dispatch.failed(worker, heard.task, said.text, now, blameless=blameless):
                self._dispatch.dismissed(worker, said.text)
                self._replace(crew, worker, again=False)

    def _replace(self, crew: Crew, worker: int, again: bool) -> None:
        """End a worker for good, or start another in its place."""
        self._ready.discard(worker)
        self._alive.discard(worker)
        crew.stop(worker)
        if again:
            crew.start(worker)
            self._alive.add(worker)
