"""The data of the map as numeric columns, read in batches of rows to save memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synthaug.store.database import Database
from synthaug.store.models import SAID

Columns = NDArray[np.float64]
"""(N, columns), NaN for NULL."""


def places(db: Database) -> Columns:
    """(N, 8), by id: id, origin (0 real train, 1 real test, 2 synthetic), PCA, UMAP, and both distance ranks."""
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
    """(N, 2): id of a generated image, and the class it was generated for (the first one of several jobs)."""
    sql = "SELECT image_id, min(class_position) FROM generations GROUP BY image_id"
    return _columns(db, 2, sql)


def first_classes(db: Database) -> Columns:
    """(N, 2): id of each generated image, and the class of its first generation, NaN if it had none; by id."""
    sql = (
        "SELECT image_id, class_position, min(job_id * 1000000000 + position) FROM generations"
        " GROUP BY image_id ORDER BY image_id"
    )
    return _columns(db, 3, sql)[:, :2]


def labels(db: Database) -> Columns:
    """(N, 3): image id, state (1 class, 2 reject, 3 unsure) and class of the current labels."""
    return _columns(
        db,
        3,
        "SELECT current_label_ids.image_id,"
        " CASE value WHEN 'class' THEN 1 WHEN 'reject' THEN 2 ELSE 3 END, class_position"
        " FROM current_label_ids JOIN labels ON labels.id = current_label_ids.label_id",
    )


def likeliest(db: Database, model_id: int) -> Columns:
    """(N, 3): image id, and the most probable class of a model with its probability."""
    sql = f"SELECT image_id, {SAID} FROM predictions WHERE model_id = ? ORDER BY image_id"
    parts = []
    for rows in db.batches(sql, [model_id]):
        ids = np.fromiter((row[0] for row in rows), np.int64, len(rows))
        probs = np.frombuffer(b"".join(row[1] for row in rows), np.float32).reshape(len(rows), -1)
        parts.append(np.column_stack([ids, probs.argmax(1), probs.max(1)]))
    return np.concatenate(parts) if parts else np.empty((0, 3))


def _columns(db: Database, width: int, sql: str) -> Columns:
    parts = [np.array(rows, np.float64) for rows in db.batches(sql)]
    return np.concatenate(parts) if parts else np.empty((0, width))


def aligned(ids: NDArray[np.int64], rows: Columns) -> Columns:
    """Rows (image id, values ...) as values (N, ...) of images with ``ids``, ascending; NaN without a row."""
    found = np.full((len(ids), rows.shape[1] - 1), np.nan)
    at = np.searchsorted(ids, rows[:, 0])
    known = at < len(ids)
    known[known] = ids[at[known]] == rows[known, 0]
    found[at[known]] = rows[known, 1:]
    return found
