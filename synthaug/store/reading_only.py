"""Opening a database without write permission: on a read-only disk, or of another user."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from synthaug.errors import WorkspaceError


def is_writable(path: Path) -> bool:
    """Whether a database, and the folder for the journal of SQLite, can be written to."""
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def open_for_reading(path: Path, *, any_thread: bool = False) -> sqlite3.Connection:
    """A read-only connection for this thread, or for any that waits for its turn.

    Raises WorkspaceError if the journal has writes that it could not read.
    """
    try:
        return _connect(path, "mode=ro", any_thread)
    except sqlite3.OperationalError as error:  # SQLite cannot make its shared memory here
        journal = path.with_name(f"{path.name}-wal")
        if journal.exists() and journal.stat().st_size:
            raise WorkspaceError(
                f"{path} cannot be read without write permission, because {journal.name} has unfinished writes; "
                "copy the workspace to a writable folder and open it there"
            ) from error
        return _connect(path, "immutable=1", any_thread)


def _connect(path: Path, mode: str, any_thread: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?{mode}", uri=True, isolation_level=None, check_same_thread=not any_thread
    )
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    connection.row_factory = sqlite3.Row
    return connection
