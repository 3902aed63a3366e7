"""A cache that is bounded by what it holds, and not by how many."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable


class ByteCache:
    """The bytes last used, up to a sum; usable from any thread."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.held = 0
        self._values: OrderedDict[Hashable, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """The value of a key; made where it is not there. Two threads may make the same one."""
        with self._lock:
            found = self._values.get(key)
            if found is not None:
                self._values.move_to_end(key)
                return found
        made = make()
        with self._lock:
            self._put(key, made)
        return made

    def _put(self, key: Hashable, value: bytes) -> None:
        self.held += len(value) - len(self._values.pop(key, b""))
        self._values[key] = value
        while self.held > self.most_bytes:
            _, gone = self._values.popitem(last=False)
            self.held -= len(gone)
