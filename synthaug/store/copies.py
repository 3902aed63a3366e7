"""Consistent copies of a database that may be in use."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from synthaug.files import new_file
from synthaug.store.sqlite_errors import explained

KEPT = 3  # copies made before migrations


def copy_database(connection: sqlite3.Connection, destination: Path) -> None:
    """Copy a database to one file without a journal, which durably replaces ``destination``."""
    with (
        explained(destination),
        new_file(destination, durable=True) as file,
        closing(sqlite3.connect(file.name)) as copy,
    ):
        connection.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")


def keep_copy(connection: sqlite3.Connection, path: Path, migration: str) -> None:
    """Copy the database to a file beside it before a migration; only the last three copies are kept."""
    copy_database(connection, path.with_name(f"{path.stem}-before-{migration}{path.suffix}"))
    for old in kept_copies(path)[:-KEPT]:
        old.unlink()


def kept_copies(path: Path) -> list[Path]:
    """The copies that :func:`keep_copy` made of a database, in the order of the migrations."""
    return sorted(path.parent.glob(f"{path.stem}-before-*{path.suffix}"))
