"""Training runs: what was trained on which view with which recipe and seed, and what came of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from synthaug.errors import UnknownName
from synthaug.store.database import Database, now

_COLUMNS = "id, view_id, recipe, seed, test_fingerprint, metrics, environment, created_at"


@dataclass(frozen=True, slots=True)
class Run:
    """One finished run."""

    id: int
    view_id: int
    recipe: str  # the recipe's key: everything that decides the training but data and seed
    seed: int
    test_fingerprint: str
    metrics: Mapping[str, Any]
    environment: Mapping[str, Any]
    created_at: str


def add(
    db: Database,
    *,
    view_id: int,
    recipe: str,
    seed: int,
    test_fingerprint: str,
    metrics: Mapping[str, Any],
    environment: Mapping[str, Any],
) -> Run:
    """Record a run, so that it is never repeated; one that is there already stays as it is."""
    with db.transaction() as connection:
        connection.execute(
            "INSERT OR IGNORE INTO runs (view_id, recipe, seed, test_fingerprint, metrics, environment, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            [view_id, recipe, seed, test_fingerprint, json.dumps(metrics), json.dumps(environment), now()],
        )
    found = find(db, view_id=view_id, recipe=recipe, seed=seed, test_fingerprint=test_fingerprint)
    assert found is not None  # noqa: S101 (for the type checker)
    return found


def find(db: Database, *, view_id: int, recipe: str, seed: int, test_fingerprint: str) -> Run | None:
    """The run of that key, or None."""
    row = db.one(
        f"SELECT {_COLUMNS} FROM runs WHERE view_id = ? AND recipe = ? AND seed = ? AND test_fingerprint = ?",
        [view_id, recipe, seed, test_fingerprint],
    )
    return None if row is None else _run(row)


def all_runs(db: Database) -> list[Run]:
    """Every finished run, newest first."""
    return [_run(row) for row in db.query(f"SELECT {_COLUMNS} FROM runs ORDER BY id DESC")]


def by_id(db: Database, run_id: int) -> Run:
    """A run by its id. Raises UnknownName."""
    row = db.one(f"SELECT {_COLUMNS} FROM runs WHERE id = ?", [run_id])
    if row is None:
        raise UnknownName("training run", str(run_id), ())
    return _run(row)


def _run(row: sqlite3.Row) -> Run:
    return Run(
        row["id"],
        row["view_id"],
        row["recipe"],
        row["seed"],
        row["test_fingerprint"],
        json.loads(row["metrics"]),
        json.loads(row["environment"]),
        row["created_at"],
    )
