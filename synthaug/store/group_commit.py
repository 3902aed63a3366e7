"""Writes that wait for the disk together: one commit, one fsync, for everything that was asked for meanwhile."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

Work = Callable[[sqlite3.Connection], Any]


@dataclass(slots=True)
class _Request:
    work: Work
    result: Any = None
    error: BaseException | None = None
    done: bool = field(default=False)


class GroupCommit:
    """Runs the writes of many threads in shared transactions; each lands or fails on its own.

    The first thread in line works off the whole line while later ones gather behind it, as in PostgreSQL.
    """

    def __init__(self, transaction: Callable[[], AbstractContextManager[sqlite3.Connection]]) -> None:
        self._transaction = transaction
        self._line: list[_Request] = []
        self._line_lock = threading.Lock()
        self._turn = threading.Lock()

    def run(self, work: Work) -> Any:
        """What ``work`` returns, once it is committed. Raises what it raised; its own writes are then undone."""
        mine = _Request(work)
        with self._line_lock:
            self._line.append(mine)
        with self._turn:
            if not mine.done:
                self._work_off()
        if mine.error is not None:
            raise mine.error
        return mine.result

    def _work_off(self) -> None:
        with self._line_lock:
            line, self._line = self._line, []
        try:
            with self._transaction() as connection:
                for request in line:
                    _attempt(connection, request)
        except BaseException as error:
            # Nothing was committed: everyone in line must know, not only the thread whose turn it was.
            for request in line:
                request.error = request.error or error
        finally:
            for request in line:
                request.done = True


def _attempt(connection: sqlite3.Connection, request: _Request) -> None:
    """One request in a savepoint, so that its failure takes back nothing of the others."""
    connection.execute("SAVEPOINT request")
    try:
        request.result = request.work(connection)
    except Exception as error:
        if not connection.in_transaction:  # SQLite rolled everything back, as it does on a full disk
            raise
        request.error = error
        connection.execute("ROLLBACK TO request")
    connection.execute("RELEASE request")
