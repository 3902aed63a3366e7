"""Features of extractors: float16 rows in one file per extractor; the database maps images to rows.

Rows are appended and synced before the database refers to them, so that a killed process leaves at most unused rows,
which the next append overwrites.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthaug.errors import WorkspaceError, explain_os_error
from synthaug.store.database import Database, now

Floats = NDArray[np.float32]
STORED = np.dtype("<f2")  # half the size of float32; distances change only in the fourth digit


@dataclass(frozen=True, slots=True)
class FeatureSet:
    """The features of one revision of an extractor."""

    id: int
    extractor: str
    revision: str
    dimension: int

    @property
    def file_name(self) -> str:
        """The name of its file in the folder ``features/`` of the workspace."""
        return f"{self.revision[:16]}.f16"


def feature_set(db: Database, extractor: str, revision: str, dimension: int) -> FeatureSet:
    """The set of a revision of an extractor, which is created if it does not exist."""
    with db.transaction() as connection:
        connection.execute(
            "INSERT OR IGNORE INTO feature_sets (extractor, revision, dimension, created_at) VALUES (?, ?, ?, ?)",
            [extractor, revision, dimension, now()],
        )
        row = db.one(
            "SELECT id, extractor, revision, dimension FROM feature_sets WHERE extractor = ? AND revision = ?",
            [extractor, revision],
        )
    assert row is not None  # noqa: S101 - inserted above
    return FeatureSet(**dict(row))


def newest(db: Database, extractor: str) -> FeatureSet | None:
    """The latest set of an extractor with this name, or None."""
    row = db.one(
        "SELECT id, extractor, revision, dimension FROM feature_sets WHERE extractor = ? ORDER BY id DESC LIMIT 1",
        [extractor],
    )
    return None if row is None else FeatureSet(**dict(row))


def by_revision(db: Database, revision: str) -> FeatureSet | None:
    """The set of the extractor with this revision, or None."""
    row = db.one("SELECT id, extractor, revision, dimension FROM feature_sets WHERE revision = ?", [revision])
    return None if row is None else FeatureSet(**dict(row))


def cut_short(db: Database, folder: Path) -> list[Path]:
    """The files of feature sets that are missing, or lack rows to which the database refers."""
    rows = db.query(
        "SELECT id, extractor, revision, dimension, max(file_row) + 1 AS count"
        " FROM feature_sets JOIN feature_rows ON set_id = id GROUP BY id ORDER BY id"
    )
    found = []
    for row in rows:
        path = folder / FeatureSet(row["id"], row["extractor"], row["revision"], row["dimension"]).file_name
        if not path.is_file() or path.stat().st_size < row["count"] * row["dimension"] * STORED.itemsize:
            found.append(path)
    return found


def images_without(db: Database, held: FeatureSet) -> list[sqlite3.Row]:
    """Images (id, sha256) without features in the set, ordered by id."""
    return db.query(
        "SELECT id, sha256 FROM images"
        " WHERE id NOT IN (SELECT image_id FROM feature_rows WHERE set_id = ?) ORDER BY id",
        [held.id],
    )


def append(db: Database, folder: Path, held: FeatureSet, image_ids: Sequence[int], rows: Floats) -> None:
    """Add features (N, D) of images to a set. Raises WorkspaceError for a full or read-only disk."""
    path = folder / held.file_name
    with db.transaction() as connection:
        first = connection.execute(
            "SELECT coalesce(max(file_row) + 1, 0) FROM feature_rows WHERE set_id = ?", [held.id]
        ).fetchone()[0]
        try:
            folder.mkdir(exist_ok=True)
            with path.open("r+b" if path.exists() else "w+b") as file:
                file.seek(first * held.dimension * STORED.itemsize)
                file.write(np.ascontiguousarray(rows, STORED).tobytes())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise explain_os_error(error, path) from error
        connection.executemany(
            "INSERT INTO feature_rows (set_id, image_id, file_row) VALUES (?, ?, ?)",
            [(held.id, int(image_id), first + i) for i, image_id in enumerate(image_ids)],
        )


def read_all(db: Database, folder: Path, held: FeatureSet) -> tuple[list[int], NDArray[np.float16]]:
    """Ids (N), ascending, and features (N, D) of all images in a set. Raises WorkspaceError for an incomplete file."""
    found = db.query(
        "SELECT image_id, file_row FROM feature_rows WHERE set_id = ? ORDER BY image_id", [held.id]
    )
    if not found:
        return [], np.zeros((0, held.dimension), np.float16)
    ids, rows = [row[0] for row in found], np.array([row[1] for row in found])
    path = folder / held.file_name
    needed = (int(rows.max()) + 1) * held.dimension * STORED.itemsize
    if not path.is_file() or path.stat().st_size < needed:
        raise WorkspaceError(
            f"{path} is missing or incomplete; delete it and run: synthaug score --recompute"
        )
    stored = np.memmap(path, STORED, "r", shape=(int(rows.max()) + 1, held.dimension))
    in_order = bool((rows == np.arange(len(rows))).all())
    return ids, stored[: len(rows)] if in_order else stored[rows]


def forget(db: Database, folder: Path, held: FeatureSet) -> None:
    """Remove all features of a set, so that they are extracted again."""
    with db.transaction() as connection:
        connection.execute("DELETE FROM feature_rows WHERE set_id = ?", [held.id])
    (folder / held.file_name).unlink(missing_ok=True)
