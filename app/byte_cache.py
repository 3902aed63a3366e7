"""A cache that is limited by the total size of its values instead of their number."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable


class ByteCache:
    """A least-recently-used cache of bytes with a maximum total size; thread-safe."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.held = 0
        self._values: OrderedDict[Hashable, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """The value of a key, made if it is missing. Two threads may make the same value at the same time."""
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
