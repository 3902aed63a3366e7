"""The loop of the main process over workers that may die: it assigns tasks, replaces workers and reads shards."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from synthaug.errors import Cancelled, UserError
from synthaug.executors.base import Part, ShouldCancel, Task, Work
from synthaug.executors.dispatch import Dispatch
from synthaug.executors.shards import ShardDamaged, Shards
from synthaug.executors.worker import Answer

LISTEN_SECONDS = 0.2
"""Time for which the main process waits for workers before it checks whether it should stop."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message from a worker."""

    worker: int
    task: int | None  # None: the message is about starting the worker
    answer: Answer | None  # None: the worker is dead
    reason: str = ""  # why it is dead


class WorkerPool(Protocol):
    """Workers, numbered from 0."""

    @property
    def size(self) -> int:
        """The number of workers that work at the same time."""

    def start(self, worker: int) -> None:
        """Start a worker, or a replacement for it; it sends a message when it is ready."""

    def give(self, worker: int, number: int, task: Task) -> None:
        """Send a task to a worker that is ready."""

    def listen(self, seconds: float) -> list[Message]:
        """The messages that arrive within this time."""

    def stop(self, worker: int) -> None:
        """Terminate a worker immediately."""

    def close(self) -> None:
        """Terminate all workers immediately."""


def run_with_pool(
    start_pool: Callable[[str], WorkerPool],
    shards: Shards,
    work: Work,
    tasks: Sequence[Task],
    should_cancel: ShouldCancel,
) -> Iterator[Part]:
    """See :class:`.base.Executor`. ``start_pool`` starts the workers for the folder at an address."""
    if tasks:
        shards.begin(work)
        finished = shards.finished()
        done = [number for number, task in enumerate(tasks) if task.key in finished]
        job_run = _JobRun(tasks, Dispatch(len(tasks), done), shards)
        yield from job_run.run(start_pool, should_cancel)
    shards.folder.clear()


class _JobRun:
    """The state of one run of a job."""

    def __init__(self, tasks: Sequence[Task], dispatch: Dispatch, shards: Shards) -> None:
        self._tasks, self._dispatch, self._shards = tasks, dispatch, shards
        self._alive: set[int] = set()  # workers that were started and are not known to be dead
        self._ready: set[int] = set()

    def run(self, start_pool: Callable[[str], WorkerPool], should_cancel: ShouldCancel) -> Iterator[Part]:
        pool: WorkerPool | None = None
        try:
            for number, task in enumerate(self._tasks):
                while (files := self._finished(number)) is None:
                    pool = pool or self._started(start_pool)
                    self._listen(pool, LISTEN_SECONDS, should_cancel)
                yield Part(task, files, last=True)
                self._shards.remove(task)
                if pool is not None:
                    self._listen(pool, 0.0, should_cancel)
        finally:
            if pool is not None:
                pool.close()

    def _started(self, start_pool: Callable[[str], WorkerPool]) -> WorkerPool:
        pool = start_pool(self._shards.folder.address)
        for worker in range(min(pool.size, len(self._tasks) - len(self._dispatch.done))):
            pool.start(worker)
            self._alive.add(worker)
        return pool

    def _finished(self, number: int) -> dict[str, bytes] | None:
        """The files of a task; None if it is not finished yet."""
        if number not in self._dispatch.done:
            return None
        try:
            return self._shards.read(self._tasks[number])
        except ShardDamaged:
            self._shards.remove(self._tasks[number])
            self._dispatch.again(number)
            return None

    def _listen(self, pool: WorkerPool, seconds: float, should_cancel: ShouldCancel) -> None:
        """Assign tasks to ready workers, and process the messages of all workers."""
        if should_cancel():
            raise Cancelled("the job was stopped on request")
        for worker in sorted(self._ready):
            while (number := self._dispatch.next(worker, time.monotonic())) is not None:
                pool.give(worker, number, self._tasks[number])
        for message in pool.listen(seconds):
            self._process(pool, message)
        if not self._alive and len(self._dispatch.done) < len(self._tasks):
            raise UserError(
                f"no worker is left: {'; '.join(sorted(set(self._dispatch.reasons())))}. Finished work is kept; remove "
                "the cause and resume the job"
            )

    def _process(self, pool: WorkerPool, message: Message) -> None:
        answer, worker, now = message.answer, message.worker, time.monotonic()
        if answer is None:
            self._replace(pool, worker, self._dispatch.lost(worker, message.reason, now))
        elif answer.outcome == "user":
            raise UserError(answer.text)
        elif answer.outcome == "unfit":
            self._dispatch.dismissed(worker, answer.text)
            self._replace(pool, worker, again=False)
        elif answer.outcome == "ready":
            self._dispatch.joined(worker)
            self._ready.add(worker)
        elif message.task is None:
            self._replace(pool, worker, self._dispatch.lost(worker, answer.text, now))
        elif answer.outcome == "done":
            self._dispatch.finished(worker, message.task, now)
        else:
            by_machine = answer.outcome == "machine"
            if not self._dispatch.failed(worker, message.task, answer.text, now, by_machine=by_machine):
                self._dispatch.dismissed(worker, answer.text)
                self._replace(pool, worker, again=False)

    def _replace(self, pool: WorkerPool, worker: int, again: bool) -> None:
        """Terminate a worker, and start a replacement if ``again``."""
        self._ready.discard(worker)
        self._alive.discard(worker)
        pool.stop(worker)
        if again:
            pool.start(worker)
            self._alive.add(worker)
