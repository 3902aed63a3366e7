"""What is wrong with a database: what SQLite finds, parts of the schema that are gone, JSON that cannot be read."""

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
"""Columns that hold a JSON object, a table."""

KEYS = {
    "generations": "'job ' || job_id || ', image ' || position",
    "landmark_predictions": "'model ' || model_id || ', image ' || image_id",
}
"""What names a row of a table; elsewhere its id."""


def is_blank(db: Database) -> bool:
    """Whether nothing was ever written to it: no tables, or no classes, which a workspace is made with."""
    tables = db.query("SELECT name FROM sqlite_master WHERE type = 'table'")
    if not tables:
        return True
    return "classes" in {row["name"] for row in tables} and not db.query("SELECT 1 FROM classes LIMIT 1")


def made_at(db: Database) -> str:
    """When the database was made, to the microsecond: what tells it from every other, and its copies do not."""
    return str(db.query("SELECT applied_at FROM _sqlite_migrations ORDER BY id LIMIT 1")[0][0])


def row_counts(db: Database) -> dict[str, int]:
    """How many images, labels and models there are; none of them ever becomes fewer."""
    return {
        table: int(db.query(f"SELECT count(*) FROM {table}")[0][0])
        for table in ("images", "labels", "models")
    }


def database_problems(db: Database) -> list[str]:
    """What is wrong with the database itself, a line each; empty = nothing."""
    schema = schema_problems(db)
    return [*schema, *db.integrity_problems(), *json_problems(db), *([] if schema else count_problems(db))]


def count_problems(db: Database) -> list[str]:
    """Kept counts of images that differ from the rows that they count."""
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
    """Tables, views, indexes and triggers that are missing or not as this release makes them."""
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
    """SQL of each part of today's schema by (type, name)."""
    script = (files("synthaug_db") / "schema.sql").read_text(encoding="utf-8")
    with closing(sqlite3.connect(":memory:")) as model:
        for statement in sorted(statements(script), key=lambda each: "CREATE TABLE" not in each):
            model.execute(statement)
        rows = model.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {(kind, name): sql for kind, name, sql in rows}


def json_problems(db: Database) -> list[str]:
    """Rows that hold something else where a JSON object belongs."""
    tables = {row["name"] for row in db.query("SELECT name FROM sqlite_master WHERE type = 'table'")}
    found = []
    for table, columns in JSON_COLUMNS.items():
        for column in columns if table in tables else ():
            rows = db.query(
                f"SELECT {KEYS.get(table, 'id')}, {column} FROM {table} WHERE {column} IS NOT NULL"
                f" AND (NOT json_valid({column}) OR json_type({column}) <> 'object')"
            )
            found += [
                f"{table} {row[0]}: {column} is no JSON object" for row in rows if not _is_object(row[1])
            ]
    return found


def _is_object(text: str) -> bool:
    """As Python reads it back: with NaN, which SQLite does not take for JSON."""
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
