"""The job table, from which interrupted jobs resume in another process."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from synthaug.errors import UnknownName, UserError
from synthaug.records import Job, JobState, Json
from synthaug.store.database import Database, now

COLUMNS = (
    "id, kind, state, params, done, total, note, error, result, created_at, started_at, finished_at,"
    " cancel_requested"
)


def submit(db: Database, kind: str, params: Json, total: int) -> int:
    """Queue a job of ``total`` units; returns its id."""
    with db.transaction() as connection:
        cursor = connection.execute(
            "INSERT INTO jobs (kind, state, params, total, created_at) VALUES (?, 'queued', ?, ?, ?)",
            [kind, json.dumps(params), total, now()],
        )
        return int(cursor.lastrowid or 0)


def get(db: Database, job_id: int) -> Job:
    """The job with this id. Raises UnknownName."""
    row = db.one(f"SELECT {COLUMNS} FROM jobs WHERE id = ?", [job_id])
    if row is None:
        raise UnknownName("job", str(job_id), [])
    return _job(row)


def latest(db: Database, limit: int | None = None, kinds: Sequence[str] | None = None) -> list[Job]:
    """The latest jobs of these kinds (None: of all kinds), newest first."""
    marks = ",".join("?" * len(kinds or ()))
    where = f"WHERE kind IN ({marks})" if kinds else ""
    sql = f"SELECT {COLUMNS} FROM jobs {where} ORDER BY id DESC LIMIT ?"
    return [_job(row) for row in db.query(sql, [*(kinds or ()), -1 if limit is None else limit])]


def claim_next(db: Database) -> Job | None:
    """Mark the oldest queued job as running and return it, or None; takes no write lock while no job is queued."""
    if db.one("SELECT 1 FROM jobs WHERE state = 'queued' LIMIT 1") is None:
        return None
    with db.transaction() as connection:
        row = connection.execute("SELECT id FROM jobs WHERE state = 'queued' ORDER BY id LIMIT 1").fetchone()
        if row is None:
            return None
        connection.execute(
            "UPDATE jobs SET state = 'running', started_at = coalesce(started_at, ?), error = '' WHERE id = ?",
            [now(), row["id"]],
        )
        return get(db, row["id"])


def has_work(db: Database) -> bool:
    """Whether a job is queued or marked as running."""
    return db.one("SELECT 1 FROM jobs WHERE state IN ('queued', 'running') LIMIT 1") is not None


def fail_running(db: Database, error: str) -> None:
    """Mark the running job as failed, because its process died. Requires the lock of the worker."""
    with db.transaction() as connection:
        connection.execute(
            "UPDATE jobs SET state = 'failed', error = ?, finished_at = ? WHERE state = 'running'",
            [error, now()],
        )


def requeue_orphans(db: Database) -> int:
    """Queue the jobs of killed processes again; returns their number. Requires the lock of the worker."""
    with db.transaction() as connection:
        return connection.execute("UPDATE jobs SET state = 'queued' WHERE state = 'running'").rowcount


def update(db: Database, job_id: int, *, done: int, note: str, result: Json | None = None) -> None:
    """Record the progress of a job: units done, the current work, and the result so far."""
    with db.transaction() as connection:
        connection.execute("UPDATE jobs SET done = ?, note = ? WHERE id = ?", [done, note, job_id])
        if result is not None:
            connection.execute("UPDATE jobs SET result = ? WHERE id = ?", [json.dumps(result), job_id])


def set_total(db: Database, job_id: int, total: int) -> None:
    """Set the number of units of a job."""
    with db.transaction() as connection:
        connection.execute("UPDATE jobs SET total = ? WHERE id = ?", [total, job_id])


def finish(db: Database, job_id: int, state: JobState, *, result: Json, error: str = "") -> None:
    """Set the final state of a job; if it is "done", all of its units are done."""
    with db.transaction() as connection:
        if state == "done":
            connection.execute("UPDATE jobs SET done = total WHERE id = ?", [job_id])
        connection.execute(
            "UPDATE jobs SET state = ?, result = ?, error = ?, finished_at = ? WHERE id = ?",
            [state, json.dumps(result), error, now(), job_id],
        )


def request_cancel(db: Database, job_id: int) -> None:
    """Request that a job stop: a queued job is cancelled immediately, a running one at its next step."""
    with db.transaction() as connection:
        connection.execute("UPDATE jobs SET cancel_requested = 1 WHERE id = ?", [job_id])
        connection.execute(
            "UPDATE jobs SET state = 'cancelled', finished_at = ? WHERE id = ? AND state = 'queued'",
            [now(), job_id],
        )


def requeue(db: Database, job_id: int) -> None:
    """Queue a cancelled or failed job again; it resumes where it stopped."""
    with db.transaction() as connection:
        connection.execute(
            "UPDATE jobs SET state = 'queued', cancel_requested = 0, error = '', finished_at = NULL"
            " WHERE id = ? AND state IN ('cancelled', 'failed')",
            [job_id],
        )


def cancel_requested(db: Database, job_id: int) -> bool:
    """Whether a request to stop the job was made."""
    row = db.one("SELECT cancel_requested FROM jobs WHERE id = ?", [job_id])
    return row is not None and bool(row["cancel_requested"])


def _job(row: sqlite3.Row) -> Job:
    values = dict(row)
    try:
        values |= {key: dict(json.loads(values[key])) for key in ("params", "result")}
    except (TypeError, ValueError) as error:
        raise UserError(
            f"job {row['id']} is damaged: its parameters or its result are not valid JSON; run: synthaug verify"
        ) from error
    values["cancel_requested"] = bool(values["cancel_requested"])
    return Job(**values)
