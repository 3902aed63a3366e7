"""Group commit: the writes of several threads share one transaction, and so one fsync."""

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
    """Runs the writes of several threads in shared transactions; each write succeeds or fails on its own.

    The first waiting thread runs the writes of all threads that wait with it; later ones form the next group, as in
    PostgreSQL.
    """

    def __init__(self, transaction: Callable[[], AbstractContextManager[sqlite3.Connection]]) -> None:
        self._transaction = transaction
        self._waiting: list[_Request] = []
        self._waiting_lock = threading.Lock()
        self._turn = threading.Lock()

    def run(self, work: Work) -> Any:
        """Run ``work`` and return its result once it is committed. If it raises, its writes are undone."""
        mine = _Request(work)
        with self._waiting_lock:
            self._waiting.append(mine)
        with self._turn:
            if not mine.done:
                self._run_waiting()
        if mine.error is not None:
            raise mine.error
        return mine.result

    def _run_waiting(self) -> None:
        with self._waiting_lock:
            requests, self._waiting = self._waiting, []
        try:
            with self._transaction() as connection:
                for request in requests:
                    _attempt(connection, request)
        except BaseException as error:
            # Nothing was committed, so that the error is raised in every waiting thread.
            for request in requests:
                request.error = request.error or error
        finally:
            for request in requests:
                request.done = True


def _attempt(connection: sqlite3.Connection, request: _Request) -> None:
    """Run a request in a savepoint, so that its failure does not undo other requests."""
    connection.execute("SAVEPOINT request")
    try:
        request.result = request.work(connection)
    except Exception as error:
        if not connection.in_transaction:  # SQLite rolled back the whole transaction, as for a full disk
            raise
        request.error = error
        connection.execute("ROLLBACK TO request")
    connection.execute("RELEASE request")
