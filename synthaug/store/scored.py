"""What the map draws of every scored image, as columns: read in portions, so that a million rows fit in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthaug.store.database import Database
from synthaug.store.models import SAID

PORTION = 50_000  # rows held as Python objects at a time
Columns = NDArray[np.float64]
"""(n, columns); NULL is NaN."""


def places(db: Database) -> Columns:
    """(n, 8), by id: id, origin (0 real train, 1 real test, 2 synthetic), PCA, UMAP, and the two distances."""
    return _columns(
        db,
        8,
        """
        SELECT images.id, CASE WHEN origin = 'synthetic' THEN 2 ELSE split = 'test' END,
            pca_x, pca_y, umap_x, umap_y, ood_real, ood_synthetic
        FROM scores JOIN images ON images.id = scores.image_id ORDER BY scores.image_id
        """,
    )


def prompted(db: Database) -> Columns:
    """(n, 2): generated image, and the class it was made for: the first in order, where jobs asked for several."""
    sql = "SELECT image_id, min(class_position) FROM generations GROUP BY image_id"
    return _columns(db, 2, sql)


def labels(db: Database) -> Columns:
    """(n, 3): image, state (1 class, 2 reject, 3 unsure) and class of the labels that count."""
    return _columns(
        db,
        3,
        "SELECT current_label_ids.image_id,"
        " CASE value WHEN 'class' THEN 1 WHEN 'reject' THEN 2 ELSE 3 END, class_position"
        " FROM current_label_ids JOIN labels ON labels.id = current_label_ids.label_id",
    )


def likeliest(db: Database, model_id: int) -> Columns:
    """(n, 3): image, the class that a model finds likeliest, and its probability."""
    sql = f"SELECT image_id, {SAID} FROM predictions WHERE model_id = ? ORDER BY image_id"
    parts = []
    for rows in _portions(db, sql, [model_id]):
        probs = np.frombuffer(b"".join(row[1] for row in rows), np.float32).reshape(len(rows), -1)
        parts.append(np.column_stack([[row[0] for row in rows], probs.argmax(1), probs.max(1)]))
    return np.concatenate(parts) if parts else np.empty((0, 3))


def _columns(db: Database, width: int, sql: str) -> Columns:
    parts = [np.array(rows, np.float64) for rows in _portions(db, sql, [])]
    return np.concatenate(parts) if parts else np.empty((0, width))


def _portions(db: Database, sql: str, parameters: list[Any]) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of a SELECT as plain tuples, some at a time."""
    cursor = db.connection.cursor()
    cursor.row_factory = None
    cursor.execute(sql, parameters)
    while rows := cursor.fetchmany(PORTION):
        yield rows
