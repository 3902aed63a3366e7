"""Limits on failed log-ins within a time window, by name and by address."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

WINDOW_SECONDS = 300.0
MOST_BY_NAME = 5
MOST_BY_ADDRESS = 20
MOST_KEPT = 10_000  # names and addresses


class Attempts:
    """Recent failed log-ins, in memory. Attempts count from their start, so that parallel ones are limited as well."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._failures: dict[tuple[str, str], deque[float]] = {}
        self._lock = threading.Lock()

    def begin(self, name: str, address: str) -> float:
        """Count an attempt; returns 0 if it is allowed, or else the seconds to wait."""
        now = self.clock()
        keys = (("name", name.casefold()), ("address", address))
        with self._lock:
            self._forget(now - WINDOW_SECONDS)
            wait = max(self._wait(keys[0], MOST_BY_NAME, now), self._wait(keys[1], MOST_BY_ADDRESS, now))
            if not wait:
                for key in keys:
                    self._failures.setdefault(key, deque()).append(now)
            return wait

    def succeeded(self, name: str, address: str) -> None:
        """Forget the failures of the name and this attempt of the address, after a correct password."""
        with self._lock:
            self._failures.pop(("name", name.casefold()), None)
            tried = self._failures.get(("address", address))
            if tried:
                tried.pop()

    def _wait(self, key: tuple[str, str], most: int, now: float) -> float:
        tried = self._failures.get(key)
        return tried[0] + WINDOW_SECONDS - now if tried and len(tried) >= most else 0.0

    def _forget(self, before: float) -> None:
        """Drop attempts before a time, and the oldest entries if there are too many."""
        for key in list(self._failures):
            tried = self._failures[key]
            while tried and tried[0] <= before:
                tried.popleft()
            if not tried:
                del self._failures[key]
        while len(self._failures) > MOST_KEPT:
            del self._failures[next(iter(self._failures))]
