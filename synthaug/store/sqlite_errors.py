"""Explaining the errors of SQLite: messages that say what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from synthaug.errors import UserError, WorkspaceError


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Replace errors of SQLite that the user can fix by errors that say how. Raises WorkspaceError and UserError."""
    try:
        yield
    except sqlite3.OperationalError as error:
        cause = str(error)
        if "readonly" in cause or "unable to open" in cause:
            raise WorkspaceError(
                f"cannot write to {path}: {cause}; check the folder's permissions"
            ) from error
        if "full" in cause:
            raise WorkspaceError(
                f"the disk that holds {path} is full; free some space and try again"
            ) from error
        if "no such table" in cause or "no such column" in cause:
            raise WorkspaceError(
                f"{path} lacks a part of its schema ({cause}); run: synthaug verify"
            ) from error
        if "disk I/O error" in cause:
            raise WorkspaceError(
                f"cannot read or write {path}: {cause}; is its disk full or failing?"
            ) from error
        if "locked" in cause:
            raise WorkspaceError(
                f"{path} is busy: another program has been writing to it for 30 s"
            ) from error
        raise
    except sqlite3.DatabaseError as error:
        if "not a database" in str(error) or "malformed" in str(error):
            raise WorkspaceError(f"{path} is damaged ({error}); restore it from a copy") from error
        raise
    except (OverflowError, UnicodeEncodeError) as error:  # an integer of more than 64 bits, a lone surrogate
        raise UserError(f"the database cannot store a value: {error}") from error
