"""How often somebody may try to log in: so many failures a window, for a name and for an address."""

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
    """Failures of the last minutes, in memory. An attempt counts from its start: many at once do not slip in."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._failures: dict[tuple[str, str], deque[float]] = {}
        self._lock = threading.Lock()

    def begin(self, name: str, address: str) -> float:
        """Count an attempt; 0, or for how many seconds neither the name nor the address may try."""
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
        """A right password: the name's failures are forgotten, and this attempt of the address."""
        with self._lock:
            self._failures.pop(("name", name.casefold()), None)
            tried = self._failures.get(("address", address))
            if tried:
                tried.pop()

    def _wait(self, key: tuple[str, str], most: int, now: float) -> float:
        tried = self._failures.get(key)
        return tried[0] + WINDOW_SECONDS - now if tried and len(tried) >= most else 0.0

    def _forget(self, before: float) -> None:
        """Drop what is older, and the oldest where there is too much."""
        for key in list(self._failures):
            tried = self._failures[key]
            while tried and tried[0] <= before:
                tried.popleft()
            if not tried:
                del self._failures[key]
        while len(self._failures) > MOST_KEPT:
            del self._failures[next(iter(self._failures))]
