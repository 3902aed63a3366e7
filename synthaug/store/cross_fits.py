"""Predictions of the images that a model was trained on, by models fitted without them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from synthaug.store.database import Database, now


@dataclass(frozen=True, slots=True)
class CrossFit:
    """How a model was cross-fitted, and how good its folds were on the images that they had not seen."""

    model_id: int
    recipe: str  # of the folds
    features: str | None  # revision of the feature extractor; None: the images were learned from
    folds: int
    seed: int
    images: int
    accuracy: float  # 0..1
    log_loss: float  # nats


def record(db: Database, done: CrossFit, image_ids: Sequence[int], probs: NDArray[np.float32]) -> None:
    """Store a cross-fitting, and probabilities (N, K) beside the model's own predictions of these images.

    An earlier cross-fitting of the model is replaced.
    """
    rows = [
        (np.asarray(said, np.float32).tobytes(), done.model_id, int(image_id))
        for image_id, said in zip(image_ids, probs, strict=True)
    ]
    values = asdict(done) | {"created_at": now()}
    with db.transaction() as connection:
        connection.execute(
            "UPDATE predictions SET cross_fitted = NULL WHERE model_id = ? AND cross_fitted IS NOT NULL",
            [done.model_id],
        )
        connection.executemany(
            "UPDATE predictions SET cross_fitted = ? WHERE model_id = ? AND image_id = ?", rows
        )
        connection.execute(
            f"INSERT OR REPLACE INTO cross_fits ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})",
            list(values.values()),
        )


def of_model(db: Database, model_id: int) -> CrossFit | None:
    """The latest cross-fitting of a model; None before the first."""
    row = db.one(
        "SELECT model_id, recipe, features, folds, seed, images, accuracy, log_loss FROM cross_fits"
        " WHERE model_id = ?",
        [model_id],
    )
    return None if row is None else CrossFit(**dict(row))
