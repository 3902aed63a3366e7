"""Which worker does which task next: no clock, no process, no file in here."""

from __future__ import annotations

import statistics
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from synthaug.errors import UserError

AHEAD = 2
"""Tasks that a worker holds: the one it does, and the next, so that it never waits for the head."""

MOST_FAILURES = 5
"""Of one task on whatever workers, or of one worker in a row."""

STRAGGLES = 2.0
"""Once no task is left to begin, one that takes this many times the median is begun a second time elsewhere."""


@dataclass(slots=True)
class _Worker:
    held: deque[int] = field(default_factory=deque)  # tasks given to it, the one at work first
    since: float = 0.0  # when it began the first of them, in seconds
    failures: int = 0  # since it last finished a task
    reason: str = ""  # of the last failure


class Dispatch:
    """The state of a job with ``count`` tasks, numbered from 0. Times are seconds of any one clock."""

    def __init__(self, count: int, done: Iterable[int] = ()) -> None:
        self.done = set(done)
        self._waiting = deque(each for each in range(count) if each not in self.done)
        self._workers: dict[int, _Worker] = {}
        self._failures: Counter[int] = Counter()
        self._seconds: list[float] = []

    def joined(self, worker: int) -> None:
        """A worker is ready; it may be one that was replaced."""
        self._workers.setdefault(worker, _Worker())

    def next(self, worker: int, now: float) -> int | None:
        """The task to give to a worker; None: it has enough, or there is nothing for it."""
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
        """A task that one other worker holds: not begun yet, or begun long ago."""
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
        """A worker has finished a task, maybe after another did."""
        mine = self._workers[worker]
        if mine.held and mine.held[0] == task:
            self._seconds.append(now - mine.since)
        self._drop(mine, task, now)
        mine.failures = 0
        self.done.add(task)

    def failed(self, worker: int, task: int, reason: str, now: float, *, blameless: bool) -> bool:
        """A worker could not do a task. Returns whether to go on with this worker.

        ``blameless``: it was the machine, not the task. Raises UserError for a task that fails everywhere.
        """
        mine = self._workers[worker]
        self._drop(mine, task, now)
        return self._again(worker, task, reason, blameless=blameless)

    def lost(self, worker: int, reason: str, now: float) -> bool:
        """A worker died. Returns whether to replace it. Raises UserError for a task that kills every worker."""
        mine = self._workers.setdefault(worker, _Worker())
        if not mine.held:
            return self._strike(mine, reason)
        at_work, *later = mine.held
        mine.held.clear()
        self._give_back(later)
        return self._again(worker, at_work, reason, blameless=False)

    def dismissed(self, worker: int, reason: str) -> None:
        """A worker that cannot take part is not to be replaced."""
        mine = self._workers.setdefault(worker, _Worker())
        mine.failures, mine.reason = MOST_FAILURES, reason
        held = list(mine.held)
        mine.held.clear()
        self._give_back(held)

    def again(self, task: int) -> None:
        """A finished task turned out to be damaged. Raises UserError when that happens time and again."""
        self.done.discard(task)
        self._blame(task, "its shard is damaged each time it is read")
        self._give_back([task])

    def reasons(self) -> list[str]:
        """Why workers failed that are not replaced any more."""
        return [each.reason for each in self._workers.values() if each.failures >= MOST_FAILURES]

    def _again(self, worker: int, task: int, reason: str, *, blameless: bool) -> bool:
        self._give_back([task])
        if not blameless:
            self._blame(task, reason)
        return self._strike(self._workers[worker], reason)

    def _give_back(self, tasks: Sequence[int]) -> None:
        """Put tasks first in line, unless somebody else has done or holds them."""
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
                f"task {task} failed {MOST_FAILURES} times, the last time: {reason}; what was made before is kept"
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
