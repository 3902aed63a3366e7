"""Dataset views, their exports and comparisons, and what an image is part of."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from synthaug.errors import UnknownName, ViewError
from synthaug.records import Json, Origin, Split
from synthaug.store.database import Database, now


@dataclass(frozen=True, slots=True)
class View:
    """A named, frozen selection of images; ``spec`` describes how it was selected."""

    id: int
    name: str
    spec: Json  # of stages.view.ViewSpec
    created_at: str


@dataclass(frozen=True, slots=True)
class Holder:
    """Something that contains an image: a view, or an export, training run or model based on a view."""

    kind: Literal["view", "export", "run", "model"]
    name: str
    view: str
    detail: str  # the format of an export, or the recipe and seed of a training; "" for a view
    created_at: str


@dataclass(frozen=True, slots=True)
class ViewImage:
    """One member of a view; with oversampling, an image is a member several times."""

    image_id: int
    sha256: str
    class_index: int
    split: Split
    origin: Origin


@dataclass(frozen=True, slots=True)
class Export:
    """A finished export; ``view`` is a name, ``path`` the folder."""

    id: int
    view: str
    format: str
    path: str
    images: int
    manifest_sha256: str
    created_at: str


def create(db: Database, name: str, spec: Json, members: Sequence[tuple[int, int]]) -> View:
    """Create a view of (image id, class index) pairs in this order.

    Raises ViewError, without creating a view, if the name is taken or an image belongs to the test split.
    """
    with db.transaction() as connection:
        if db.one("SELECT 1 FROM views WHERE name = ?", [name]) is not None:
            raise ViewError(
                f"a view called {name!r} already exists, and views are frozen; choose another name"
            )
        cursor = connection.execute(
            "INSERT INTO views (name, spec, created_at) VALUES (?, ?, ?)", [name, json.dumps(spec), now()]
        )
        view_id = int(cursor.lastrowid or 0)
        connection.executemany(
            "INSERT INTO view_images (view_id, position, image_id, class_position) VALUES (?, ?, ?, ?)",
            [(view_id, position, *member) for position, member in enumerate(members)],
        )
        _refuse_test_images(db, name, view_id)
    return by_name(db, name)


def _refuse_test_images(db: Database, name: str, view_id: int) -> None:
    """Raises ViewError if a view has test images: no classifier may be trained on images that it is tested on."""
    held = db.query(
        "SELECT images.sha256 FROM view_images JOIN images ON images.id = view_images.image_id"
        " WHERE view_id = ? AND images.split = 'test' ORDER BY position",
        [view_id],
    )
    if held:
        raise ViewError(
            f"{len(held)} of the images for {name!r} belong to the test split, which is never trained on; "
            f"leave them out (the first is {held[0]['sha256']})"
        )


def by_name(db: Database, name: str) -> View:
    """The view with this name. Raises UnknownName."""
    row = db.one("SELECT id, name, spec, created_at FROM views WHERE name = ?", [name])
    if row is None:
        known = [each["name"] for each in db.query("SELECT name FROM views")]
        raise UnknownName("view", name, known)
    return _view(row)


def by_id(db: Database, view_id: int) -> View:
    """The view with this id, which must exist."""
    rows = db.query("SELECT id, name, spec, created_at FROM views WHERE id = ?", [view_id])
    return _view(rows[0])


def all_views(db: Database) -> list[View]:
    """All views, newest first."""
    return [_view(row) for row in db.query("SELECT id, name, spec, created_at FROM views ORDER BY id DESC")]


def members(db: Database, view_id: int) -> list[ViewImage]:
    """The members of a view in their frozen order."""
    rows = db.query(
        "SELECT images.id, images.sha256, view_images.class_position, images.split, images.origin"
        " FROM view_images JOIN images ON images.id = view_images.image_id"
        " WHERE view_id = ? ORDER BY position",
        [view_id],
    )
    return [ViewImage(*row) for row in rows]


def counts(db: Database, view_id: int) -> dict[str, int]:
    """The number of members of each class, including 0, in the order of the classes."""
    rows = db.query(
        "SELECT classes.name, count(view_images.image_id) AS images FROM classes"
        " LEFT JOIN view_images ON view_images.class_position = classes.position AND view_images.view_id = ?"
        " GROUP BY classes.position ORDER BY classes.position",
        [view_id],
    )
    return {row["name"]: row["images"] for row in rows}


def composition(db: Database, view_id: int) -> list[sqlite3.Row]:
    """(class_position, origin, images, different): members and different images of each class and origin."""
    return db.query(
        "SELECT class_position, origin, count(*) AS images, count(DISTINCT image_id) AS different FROM view_images"
        " JOIN images ON images.id = image_id WHERE view_id = ? GROUP BY class_position, origin",
        [view_id],
    )


def generators(db: Database, view_id: int) -> list[str]:
    """Names of the generators of the images in a view, in alphabetical order."""
    rows = db.query(
        "SELECT DISTINCT generator FROM generations"
        " WHERE image_id IN (SELECT image_id FROM view_images WHERE view_id = ?) ORDER BY generator",
        [view_id],
    )
    return [row[0] for row in rows]


def holding(db: Database, image_id: int) -> list[Holder]:
    """The views that contain an image, and what is based on them, oldest first."""
    rows = db.query(
        """
        WITH held AS (
            SELECT id, name, created_at FROM views WHERE id IN (SELECT view_id FROM view_images WHERE image_id = ?)
        )
        SELECT 'view', name, name, '', created_at FROM held
        UNION ALL
        SELECT 'export', exports.path, held.name, format, exports.created_at
        FROM exports JOIN held ON held.id = exports.view_id
        UNION ALL
        SELECT 'run', 'run ' || runs.id, held.name, recipe || ', seed ' || seed, runs.created_at
        FROM runs JOIN held ON held.id = runs.view_id
        UNION ALL
        SELECT 'model', models.name, held.name, recipe || ', seed ' || seed, models.created_at
        FROM models JOIN held ON held.id = models.view_id
        ORDER BY 5
        """,
        [image_id],
    )
    return [Holder(*row) for row in rows]


def add_export(
    db: Database, view_id: int, *, file_format: str, path: str, images: int, manifest_sha256: str
) -> None:
    """Record a finished export."""
    row = {
        "view_id": view_id,
        "format": file_format,
        "path": path,
        "images": images,
        "manifest_sha256": manifest_sha256,
        "created_at": now(),
    }
    db.insert("exports", [row])


def all_exports(db: Database) -> list[Export]:
    """All exports, newest first."""
    rows = db.query(
        "SELECT exports.id, views.name AS view, format, path, images, manifest_sha256, exports.created_at"
        " FROM exports JOIN views ON views.id = exports.view_id ORDER BY exports.id DESC"
    )
    return [Export(*row) for row in rows]


def add_comparison(db: Database, baseline_id: int, augmented_id: int, result: Json) -> tuple[int, str]:
    """Record a comparison; returns its id and its time."""
    time = now()
    with db.transaction() as connection:
        cursor = connection.execute(
            "INSERT INTO comparisons (baseline_view_id, augmented_view_id, result, created_at) VALUES (?, ?, ?, ?)",
            [baseline_id, augmented_id, json.dumps(result), time],
        )
        return int(cursor.lastrowid or 0), time


def all_comparisons(db: Database) -> list[tuple[int, str, Json]]:
    """(id, time, result) of all comparisons, newest first."""
    rows = db.query("SELECT id, created_at, result FROM comparisons ORDER BY id DESC")
    return [(row["id"], row["created_at"], json.loads(row["result"])) for row in rows]


def _view(row: sqlite3.Row) -> View:
    return View(row["id"], row["name"], json.loads(row["spec"]), row["created_at"])
