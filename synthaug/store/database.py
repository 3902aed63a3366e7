"""The workspace's SQLite database: connections, write transactions, migrations.

Every thread reads on a connection of its own; in WAL mode, reads continue during a write. The writes of one process
are serialised by a lock. They start with ``BEGIN IMMEDIATE``, so that two processes wait for each other instead of
failing halfway.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

import sqlite_utils

from synthaug.errors import WorkspaceError
from synthaug.files import turns
from synthaug.store.copies import keep_copy
from synthaug.store.group_commit import GroupCommit
from synthaug.store.label_hash import label_hash
from synthaug.store.reading_only import is_writable, open_for_reading
from synthaug.store.sqlite_errors import explained

T = TypeVar("T")
BUSY_TIMEOUT_MS = 30_000
SQL_VARIABLES = 900  # of one statement; the lowest limit of SQLite is 999
MIGRATIONS = sqlite_utils.Migrations("synthaug")


def now() -> str:
    """The current time in the format of :func:`timestamp`."""
    return timestamp(datetime.now(UTC))


def timestamp(moment: datetime) -> str:
    """A time (UTC) in the format of the tables: ISO 8601 with milliseconds, which sorts as text."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def statements(script: str) -> Iterator[str]:
    """Split a SQL script into statements without splitting triggers; ``executescript`` would commit."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
    if pending.strip():
        yield pending


def _register_migrations() -> frozenset[str]:
    """Register each ``db/migrations/*.sql`` as a migration, in the order of the names; returns the names."""
    folder = files("synthaug_db") / "migrations"
    scripts = sorted(
        (each for each in folder.iterdir() if each.name.endswith(".sql")), key=lambda each: each.name
    )
    for entry in scripts:
        script = entry.read_text(encoding="utf-8")

        def apply(db: sqlite_utils.Database, script: str = script) -> None:
            db.conn.create_function("label_hash", -1, label_hash, deterministic=True)
            for statement in statements(script):
                db.conn.execute(statement)

        MIGRATIONS(name=entry.name.removesuffix(".sql"))(apply)
    return frozenset(entry.name.removesuffix(".sql") for entry in scripts)


MIGRATION_NAMES = _register_migrations()


class Database:
    """The database of a workspace; it can be used from any thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.read_only = path.exists() and not is_writable(path)
        self._local = threading.local()
        self._write_lock = threading.RLock()
        self._group = GroupCommit(self.transaction)

    def migrate(self) -> None:
        """Update the schema after copying the database. Raises WorkspaceError for a database of a newer release."""
        with self._write_lock, explained(self.path):
            pending = self._pending()
            if not pending:
                return
            if self.read_only:
                raise WorkspaceError(
                    f"{self.path} was written by an older release of synthaug and cannot be updated, because it is "
                    "read-only; copy the workspace to a writable folder"
                )
            if len(pending) == len(MIGRATION_NAMES):
                MIGRATIONS.apply(sqlite_utils.Database(self.connection))  # no other process uses it yet
                return
            with turns(self.path.parent):
                if pending := self._pending():  # otherwise, another process has migrated it
                    keep_copy(self.connection, self.path, pending[0])
                    MIGRATIONS.apply(sqlite_utils.Database(self.connection))

    def _pending(self) -> list[str]:
        """Names of the migrations to apply. Raises WorkspaceError for a database of a newer release."""
        database = sqlite_utils.Database(self.connection)
        newer = {each.name for each in MIGRATIONS.applied(database)} - MIGRATION_NAMES
        if newer:
            raise WorkspaceError(
                f"{self.path} was written by a newer release of synthaug (migration {min(newer)!r}); upgrade synthaug"
            )
        return [each.name for each in MIGRATIONS.pending(database)]

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection of the current thread."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect()
            self._local.connection = connection
        return connection

    def _connect(self) -> sqlite3.Connection:
        with explained(self.path):
            if self.read_only:
                return open_for_reading(self.path)
            connection = sqlite3.connect(self.path, isolation_level=None)
            connection.row_factory = sqlite3.Row
            connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
            connection.execute("PRAGMA journal_mode = WAL")
            # In WAL mode, NORMAL does not sync on COMMIT: a power cut could lose labels that were acknowledged.
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
        return connection

    def query(self, sql: str, parameters: Any = ()) -> list[sqlite3.Row]:
        """All rows of a SELECT."""
        with explained(self.path):
            return self.connection.execute(sql, parameters).fetchall()

    def batches(
        self, sql: str, parameters: Sequence[Any] = (), size: int = 50_000
    ) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of a SELECT as plain tuples, ``size`` at a time: for many rows that become an array at once."""
        with explained(self.path):
            cursor = self.connection.cursor()
            cursor.row_factory = None
            cursor.execute(sql, parameters)
            while rows := cursor.fetchmany(size):
                yield rows

    def numbers(self, sql: str, parameters: Sequence[Any] = ()) -> list[int]:
        """The only column, whole numbers, of a SELECT."""
        return [row[0] for rows in self.batches(sql, parameters) for row in rows]

    def query_among(
        self, sql: str, ids: Sequence[int] | Sequence[str], parameters: Sequence[Any] = ()
    ) -> list[sqlite3.Row]:
        """All rows of a SELECT with any number of ids, for which ``sql`` has ``IN (:ids)`` after all other parameters.

        The ids are divided over several statements, so that ORDER BY only orders the rows within each of them.
        """
        rows: list[sqlite3.Row] = []
        for start in range(0, len(ids), SQL_VARIABLES):
            portion = [
                each if isinstance(each, str) else int(each) for each in ids[start : start + SQL_VARIABLES]
            ]
            marks = ",".join("?" * len(portion))
            rows += self.query(sql.replace("(:ids)", f"({marks})"), [*parameters, *portion])
        return rows

    def one(self, sql: str, parameters: Any = ()) -> sqlite3.Row | None:
        """The first row of a SELECT, or None."""
        with explained(self.path):
            row: sqlite3.Row | None = self.connection.execute(sql, parameters).fetchone()
            return row

    def insert(self, table: str, rows: Iterable[dict[str, Any]], *, ignore: bool = False) -> None:
        """Insert rows, with dicts and lists as JSON; ``ignore`` skips rows that violate a UNIQUE constraint."""
        with self.transaction() as connection:
            sqlite_utils.Database(connection).table(table).insert_all(rows, ignore=ignore, batch_size=1000)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A write transaction, which is committed completely or not at all; nested calls join the outer one."""
        with self._write_lock, explained(self.path):
            connection = self.connection
            if connection.in_transaction:
                yield connection
                return
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                connection.rollback()  # has no effect if SQLite has already rolled back
                raise

    def grouped(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run a write and return its result once it is on the disk; it shares its commit (see GroupCommit).

        Within a transaction of this thread, the write becomes part of that transaction.
        """
        if self.connection.in_transaction:
            with self.transaction() as connection:
                return work(connection)
        result: T = self._group.run(work)
        return result

    def integrity_problems(self) -> list[str]:
        """The problems that SQLite finds in the file and its foreign keys, one line each."""
        found = [row[0] for row in self.query("PRAGMA integrity_check") if row[0] != "ok"]
        found += [
            f"{row['table']}: a row refers to one that does not exist"
            for row in self.query("PRAGMA foreign_key_check")
        ]
        return found

    def settle(self) -> None:
        """Move all data from the journal to the database file. Raises WorkspaceError for a full disk.

        Closing does the same, but does not report an error.
        """
        self.query("PRAGMA journal_mode = DELETE")

    def close(self) -> None:
        """Close the connection of the current thread."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None
