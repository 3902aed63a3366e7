"""Finished training runs: the view, recipe and seed of each, and the metrics it reached."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from synthaug.errors import UnknownName
from synthaug.parsing import JsonRecord
from synthaug.records import Environment, Json
from synthaug.store.database import Database, now

_COLUMNS = "id, view_id, recipe, seed, test_fingerprint, metrics, environment, created_at"


@dataclass(frozen=True, slots=True)
class RunKey(JsonRecord):
    """What determines a training run, except for its seed."""

    view_id: int
    recipe: str  # the key of the recipe; see run_cache.recipe_key
    test_fingerprint: str


@dataclass(frozen=True, slots=True)
class Run:
    """One finished training run."""

    id: int
    view_id: int
    recipe: str  # the key of the recipe
    seed: int
    test_fingerprint: str
    metrics: Json  # of a classifier, see measuring.ClassifierMetrics
    environment: Environment
    created_at: str

    @property
    def key(self) -> RunKey:
        """What determines the run, except for its seed."""
        return RunKey(self.view_id, self.recipe, self.test_fingerprint)


def add(db: Database, key: RunKey, seed: int, *, metrics: Json, environment: Environment) -> Run:
    """Record a run, so that it is never repeated; a run that is already recorded stays as it is."""
    with db.transaction() as connection:
        connection.execute(
            "INSERT OR IGNORE INTO runs (view_id, recipe, seed, test_fingerprint, metrics, environment, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                key.view_id,
                key.recipe,
                seed,
                key.test_fingerprint,
                json.dumps(metrics),
                json.dumps(environment),
                now(),
            ],
        )
    found = find(db, key, seed)
    assert found is not None  # noqa: S101 (for the type checker)
    return found


def find(db: Database, key: RunKey, seed: int) -> Run | None:
    """The run with this key and seed, or None."""
    row = db.one(
        f"SELECT {_COLUMNS} FROM runs WHERE view_id = ? AND recipe = ? AND seed = ? AND test_fingerprint = ?",
        [key.view_id, key.recipe, seed, key.test_fingerprint],
    )
    return None if row is None else _run(row)


def all_runs(db: Database) -> list[Run]:
    """All finished runs, newest first."""
    return [_run(row) for row in db.query(f"SELECT {_COLUMNS} FROM runs ORDER BY id DESC")]


def by_id(db: Database, run_id: int) -> Run:
    """The run with this id. Raises UnknownName."""
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
