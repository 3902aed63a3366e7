"""The points of the map: the coordinates of every scored image, with its label, prediction and scores."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from synthaug.errors import UserError
from synthaug.store import generations, models, scored
from synthaug.store.scored import aligned
from synthaug.workspace import Workspace

NONE = 255
"""Value for "no class" in the uint8 columns."""

_READING = Lock()
STATES = {None: 0, "class": 1, "reject": 2, "unsure": 3}


@dataclass(frozen=True, slots=True)
class Points:
    """Columns of N images, ordered by id."""

    ids: NDArray[np.uint32]  # (N,)
    pca: NDArray[np.float32]  # (N, 2)
    umap: NDArray[np.float32]  # (N, 2)
    origin: NDArray[np.uint8]  # (N,) 0 real train, 1 real test, 2 synthetic
    label: NDArray[np.uint8]  # (N,) class index or NONE
    prompted: NDArray[np.uint8]  # (N,) class index or NONE
    predicted: NDArray[np.uint8]  # (N,) class index or NONE
    state: NDArray[np.uint8]  # (N,) 0 unreviewed, 1 labeled, 2 rejected, 3 unsure
    confidence: NDArray[np.float32]  # (N,) 0..1, NaN without a prediction
    ood_real: NDArray[np.float32]  # (N,) 0..1, higher = farther from real images; NaN: unknown
    ood_synthetic: NDArray[
        np.float32
    ]  # (N,) 0..1, higher = farther from other synthetic images; NaN: unknown
    model: str  # classifier or extractor whose features the coordinates are computed from
    model_id: int | None  # classifier that predicted
    scored_at: str
    ood_method: str  # method of both ranks, one of measures.ood.METHODS
    umap_placed: int  # number of images that were placed in a UMAP that was fitted without them


def points(workspace: Workspace) -> Points:
    """Everything a plot needs. Raises UserError if nothing was scored yet.

    A million rows take seconds to read: a second caller waits for the first and uses what it read.
    """
    with _READING:
        return _points(workspace)


def _points(workspace: Workspace) -> Points:
    db = workspace.db
    about = models.scored_with(db)
    if about is None:
        raise UserError("No image has features yet. Import or generate images, then compute their features.")
    features, model_id, scored_at = about
    places = _places(db, f"{scored_at}/{models.scored_count(db)}")
    ids = places[:, 0].astype(np.int64)
    labels = aligned(ids, scored.labels(db))
    predicted = np.full((len(ids), 2), np.nan)
    if model_id is not None:
        predicted = aligned(ids, _likeliest(db, model_id, models.predicted_count(db, model_id)))
    return Points(
        ids=ids.astype(np.uint32),
        pca=places[:, 2:4].astype(np.float32),
        umap=places[:, 4:6].astype(np.float32),
        origin=places[:, 1].astype(np.uint8),
        label=_classes(labels[:, 1]),
        prompted=_classes(aligned(ids, _prompted(db, generations.count(db)))[:, 0]),
        predicted=_classes(predicted[:, 0]),
        state=np.nan_to_num(labels[:, 0]).astype(np.uint8),
        confidence=predicted[:, 1].astype(np.float32),
        ood_real=places[:, 6].astype(np.float32),
        ood_synthetic=places[:, 7].astype(np.float32),
        model=features,
        model_id=model_id,
        scored_at=scored_at,
        ood_method=models.ood_method(db),
        umap_placed=models.umap_placed(db),
    )


def umap_placed(workspace: Workspace) -> int:
    """How many of the points were placed in a UMAP that was fitted without them."""
    return models.umap_placed(workspace.db)


# Labels do not change these columns, so that they are cached; the arguments after the database identify their state.
_places = lru_cache(maxsize=1)(lambda db, state: scored.places(db))
_prompted = lru_cache(maxsize=1)(lambda db, count: scored.prompted(db))
_likeliest = lru_cache(maxsize=1)(lambda db, model_id, count: scored.likeliest(db, model_id))


def version(workspace: Workspace) -> str:
    """A text that changes whenever the result of :func:`points` changes."""
    return models.scores_version(workspace.db)


def _classes(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Class indices (N,) uint8, NONE for NaN."""
    return np.where(np.isnan(values), NONE, values).astype(np.uint8)
