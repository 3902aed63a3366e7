"""Noticing writes to a database without reading what was written."""

from __future__ import annotations

import secrets
import threading
from pathlib import Path

from synthaug.store.reading_only import open_for_reading
from synthaug.store.sqlite_errors import explained


class Changes:
    """The state of a database as a text that changes with every write, by whichever thread or process.

    SQLite counts the commits of all connections but the one that asks (``PRAGMA data_version``), so this has a
    connection of its own, which never writes. It can be used from any thread.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._opened = secrets.token_hex(4)  # counts of another connection cannot be compared
        with explained(path):
            self._connection = open_for_reading(path, any_thread=True)

    def state(self) -> str:
        """Two equal texts mean that nothing was written between them. Raises WorkspaceError."""
        with self._lock, explained(self._path):
            (count,) = self._connection.execute("PRAGMA data_version").fetchone()
        return f"{self._opened}-{count}"
