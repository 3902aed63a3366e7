"""Checking a database: the integrity checks of SQLite, the schema, and the JSON columns."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from functools import cache
from importlib.resources import files

from synthaug.store.database import Database, statements

JSON_COLUMNS = {
    "jobs": ("params", "result"),
    "generations": ("slots", "details"),
    "models": ("metrics", "environment"),
    "runs": ("metrics", "environment"),
    "views": ("spec",),
    "comparisons": ("result",),
    "labels": ("landmarks",),
    "landmark_predictions": ("points",),
}
"""Columns that hold a JSON object, by table."""

KEYS = {
    "generations": "'job ' || job_id || ', image ' || position",
    "landmark_predictions": "'model ' || model_id || ', image ' || image_id",
}
"""SQL that identifies a row in a message, for tables without an id."""


def is_blank(db: Database) -> bool:
    """Whether the database is new: it has no tables or no classes, with which every workspace is created."""
    tables = db.query("SELECT name FROM sqlite_master WHERE type = 'table'")
    if not tables:
        return True
    return "classes" in {row["name"] for row in tables} and not db.query("SELECT 1 FROM classes LIMIT 1")


def made_at(db: Database) -> str:
    """The time of creation in microseconds, which identifies a database and all copies of it."""
    return str(db.query("SELECT applied_at FROM _sqlite_migrations ORDER BY id LIMIT 1")[0][0])


def row_counts(db: Database) -> dict[str, int]:
    """The numbers of images, labels and models, none of which ever decreases."""
    return {
        table: int(db.query(f"SELECT count(*) FROM {table}")[0][0])
        for table in ("images", "labels", "models")
    }


def database_problems(db: Database) -> list[str]:
    """The problems with the database, one line each."""
    schema = schema_problems(db)
    return [*schema, *db.integrity_problems(), *json_problems(db), *([] if schema else count_problems(db))]


def count_problems(db: Database) -> list[str]:
    """Stored counts of images that differ from the number of rows, one line each."""
    rows = db.query(
        "SELECT origin, count(*) AS images, count(current_label_ids.image_id) AS labeled FROM images"
        " LEFT JOIN current_label_ids ON current_label_ids.image_id = images.id GROUP BY origin"
        " EXCEPT SELECT origin, images, labeled FROM image_counts"
    )
    return [
        f"image_counts: {row['origin']} is not {row['images']} images, {row['labeled']} of them labeled"
        for row in rows
    ]


def schema_problems(db: Database) -> list[str]:
    """Tables, views, indexes and triggers that are missing, or differ from those of this release."""
    there = {(row["type"], row["name"]): row["sql"] for row in db.query("SELECT * FROM sqlite_master")}
    found = []
    for (kind, name), sql in _schema().items():
        if (kind, name) not in there:
            found.append(f"{db.path.name}: the {kind} {name!r} is missing")
        elif there[kind, name] != sql:
            found.append(f"{db.path.name}: the {kind} {name!r} was changed")
    return found


@cache
def _schema() -> dict[tuple[str, str], str]:
    """The SQL of each part of the current schema, by (type, name)."""
    script = (files("synthaug_db") / "schema.sql").read_text(encoding="utf-8")
    with closing(sqlite3.connect(":memory:")) as model:
        for statement in sorted(statements(script), key=lambda each: "CREATE TABLE" not in each):
            model.execute(statement)
        rows = model.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {(kind, name): sql for kind, name, sql in rows}


def json_problems(db: Database) -> list[str]:
    """Rows in which a JSON column holds anything other than a JSON object."""
    tables = {row["name"] for row in db.query("SELECT name FROM sqlite_master WHERE type = 'table'")}
    found = []
    for table, columns in JSON_COLUMNS.items():
        for column in columns if table in tables else ():
            rows = db.query(
                f"SELECT {KEYS.get(table, 'id')}, {column} FROM {table} WHERE {column} IS NOT NULL"
                f" AND (NOT json_valid({column}) OR json_type({column}) <> 'object')"
            )
            found += [
                f"{table} {row[0]}: {column} is not a JSON object" for row in rows if not _is_object(row[1])
            ]
    return found


def _is_object(text: str) -> bool:
    """Whether Python reads the text as an object; unlike SQLite, it accepts NaN."""
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
