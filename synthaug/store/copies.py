"""Copies of a database: made while others read and write it, each whole and from one moment."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from synthaug.files import new_file
from synthaug.store.sqlite_errors import explained

KEPT = 3


def copy_database(connection: sqlite3.Connection, destination: Path) -> None:
    """Copy what a connection sees into one file without a journal; it replaces what was there, durably."""
    with (
        explained(destination),
        new_file(destination, durable=True) as file,
        closing(sqlite3.connect(file.name)) as copy,
    ):
        connection.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")


def keep_copy(connection: sqlite3.Connection, path: Path, migration: str) -> None:
    """Keep the database as it was before a migration, beside it; the last three copies are kept."""
    copy_database(connection, path.with_name(f"{path.stem}-before-{migration}{path.suffix}"))
    for old in kept_copies(path)[:-KEPT]:
        old.unlink()


def kept_copies(path: Path) -> list[Path]:
    """The copies of a database that :func:`keep_copy` made, in the order of the migrations."""
    return sorted(path.parent.glob(f"{path.stem}-before-*{path.suffix}"))
