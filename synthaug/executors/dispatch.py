"""Deciding which worker does which task next; this module uses no clock, no process and no file."""

from __future__ import annotations

import statistics
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from synthaug.errors import UserError

AHEAD = 2
"""Tasks assigned to a worker at a time: the one it does and the next, so that it does not wait for the main process."""

MOST_FAILURES = 5
"""Largest number of failures of one task on any workers, or of one worker in a row."""

STRAGGLES = 2.0
"""When no task is waiting, one that takes this many times the median time is also given to another worker."""


@dataclass(slots=True)
class _Worker:
    held: deque[int] = field(default_factory=deque)  # tasks assigned to it, the current one first
    since: float = 0.0  # time at which it began the current one, in seconds
    failures: int = 0  # since it last finished a task
    reason: str = ""  # of the last failure


class Dispatch:
    """The state of a job with ``count`` tasks, numbered from 0. All times are in seconds of the same clock."""

    def __init__(self, count: int, done: Iterable[int] = ()) -> None:
        self.done = set(done)
        self._waiting = deque(each for each in range(count) if each not in self.done)
        self._workers: dict[int, _Worker] = {}
        self._failures: Counter[int] = Counter()
        self._seconds: list[float] = []

    def joined(self, worker: int) -> None:
        """A worker, or its replacement, is ready."""
        self._workers.setdefault(worker, _Worker())

    def next(self, worker: int, now: float) -> int | None:
        """The task to assign to a worker; None if it has enough tasks or there is none for it."""
        mine = self._workers[worker]
        if len(mine.held) >= AHEAD:
            return None
        task = self._new() if self._waiting else None
        if task is None and not mine.held:
            task = self._behind(now)
        if task is not None:
            if not mine.held:
                mine.since = now
            mine.held.append(task)
        return task

    def _new(self) -> int | None:
        while self._waiting:
            task = self._waiting.popleft()
            if task not in self.done:
                return task
        return None

    def _behind(self, now: float) -> int | None:
        """A task that one other worker has not begun yet, or began long ago."""
        holders = Counter(task for each in self._workers.values() for task in each.held)
        for other in self._workers.values():
            for place, task in enumerate(other.held):
                if task in self.done or holders[task] > 1:
                    continue
                if place > 0 or self._straggles(now - other.since):
                    return task
        return None

    def _straggles(self, seconds: float) -> bool:
        return bool(self._seconds) and seconds > STRAGGLES * statistics.median(self._seconds)

    def finished(self, worker: int, task: int, now: float) -> None:
        """A worker has finished a task, possibly after another worker."""
        mine = self._workers[worker]
        if mine.held and mine.held[0] == task:
            self._seconds.append(now - mine.since)
        self._drop(mine, task, now)
        mine.failures = 0
        self.done.add(task)

    def failed(self, worker: int, task: int, reason: str, now: float, *, by_machine: bool) -> bool:
        """A worker could not do a task; returns whether to continue with this worker.

        ``by_machine``: the cause was the machine, not the task. Raises UserError for a task that fails too often.
        """
        mine = self._workers[worker]
        self._drop(mine, task, now)
        return self._again(worker, task, reason, by_machine=by_machine)

    def lost(self, worker: int, reason: str, now: float) -> bool:
        """A worker died; returns whether to replace it. Raises UserError if its task has failed too often."""
        mine = self._workers.setdefault(worker, _Worker())
        if not mine.held:
            return self._strike(mine, reason)
        at_work, *later = mine.held
        mine.held.clear()
        self._give_back(later)
        return self._again(worker, at_work, reason, by_machine=False)

    def dismissed(self, worker: int, reason: str) -> None:
        """A worker cannot take part and is not replaced."""
        mine = self._workers.setdefault(worker, _Worker())
        mine.failures, mine.reason = MOST_FAILURES, reason
        held = list(mine.held)
        mine.held.clear()
        self._give_back(held)

    def again(self, task: int) -> None:
        """The shard of a finished task is damaged, so it is done again. Raises UserError if that happens too often."""
        self.done.discard(task)
        self._blame(task, "its shard is damaged each time it is read")
        self._give_back([task])

    def reasons(self) -> list[str]:
        """The reasons for which workers that are no longer replaced have failed."""
        return [each.reason for each in self._workers.values() if each.failures >= MOST_FAILURES]

    def _again(self, worker: int, task: int, reason: str, *, by_machine: bool) -> bool:
        self._give_back([task])
        if not by_machine:
            self._blame(task, reason)
        return self._strike(self._workers[worker], reason)

    def _give_back(self, tasks: Sequence[int]) -> None:
        """Put tasks at the front of the queue, unless they are done or assigned to another worker."""
        elsewhere = {
            *self.done,
            *self._waiting,
            *(each for mine in self._workers.values() for each in mine.held),
        }
        self._waiting.extendleft(reversed([each for each in tasks if each not in elsewhere]))

    def _blame(self, task: int, reason: str) -> None:
        self._failures[task] += 1
        if self._failures[task] >= MOST_FAILURES:
            raise UserError(
                f"task {task} failed {MOST_FAILURES} times, the last time: {reason}; finished work is kept"
            )

    @staticmethod
    def _strike(worker: _Worker, reason: str) -> bool:
        worker.failures += 1
        worker.reason = reason
        return worker.failures < MOST_FAILURES

    @staticmethod
    def _drop(worker: _Worker, task: int, now: float) -> None:
        if task in worker.held:
            worker.held.remove(task)
        worker.since = now
