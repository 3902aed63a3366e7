"""The points of a feature plot: where every image lies, and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthaug.errors import UserError
from synthaug.store import models
from synthaug.workspace import Workspace

NONE = 255
"""Stands for "no class" in the uint8 columns."""

STATES = {None: 0, "class": 1, "reject": 2, "unsure": 3}


@dataclass(frozen=True, slots=True)
class Points:
    """Columns of n images each, ordered by id."""

    ids: NDArray[np.uint32]  # (n,)
    pca: NDArray[np.float32]  # (n, 2)
    umap: NDArray[np.float32]  # (n, 2)
    origin: NDArray[np.uint8]  # (n,) 0 real train, 1 real test, 2 synthetic
    label: NDArray[np.uint8]  # (n,) class index or NONE
    prompted: NDArray[np.uint8]  # (n,) class index or NONE
    predicted: NDArray[np.uint8]  # (n,) class index or NONE
    state: NDArray[np.uint8]  # (n,) 0 unreviewed, 1 labeled, 2 rejected, 3 unsure
    confidence: NDArray[np.float32]  # (n,) 0..1, NaN without a prediction
    ood_real: NDArray[np.float32]  # (n,) 0..1, higher = farther from real images; NaN unknown
    ood_synthetic: NDArray[np.float32]  # (n,) 0..1, higher = farther from other synthetic ones; NaN unknown
    model: str  # the classifier or extractor whose features the coordinates come from
    model_id: int | None  # the classifier whose predictions these are
    scored_at: str


def points(workspace: Workspace) -> Points:
    """Everything a plot needs. Raises UserError if nothing was scored yet."""
    rows = models.scored_images(workspace.db)
    if not rows:
        raise UserError("nothing to plot yet; compute features first: synthaug score")
    ids = [row["id"] for row in rows]
    probs = models.scored_probabilities(workspace.db)
    return Points(
        ids=np.array(ids, np.uint32),
        pca=np.array([(row["pca_x"], row["pca_y"]) for row in rows], np.float32),
        umap=np.array([(row["umap_x"], row["umap_y"]) for row in rows], np.float32),
        origin=np.array(
            [2 if row["origin"] == "synthetic" else int(row["split"] == "test") for row in rows], np.uint8
        ),
        label=_classes([row["class_position"] for row in rows]),
        prompted=_classes([row["prompted"] for row in rows]),
        predicted=np.where(np.isnan(probs[:, 0]), NONE, probs.argmax(axis=1)).astype(np.uint8),
        state=np.array([STATES[row["value"]] for row in rows], np.uint8),
        confidence=probs.max(axis=1),
        ood_real=_floats([row["ood_real"] for row in rows]),
        ood_synthetic=_floats([row["ood_synthetic"] for row in rows]),
        model=rows[0]["features"],
        model_id=rows[0]["model_id"],
        scored_at=rows[0]["scored_at"],
    )


def version(workspace: Workspace) -> str:
    """A mark that changes whenever :func:`points` would give something else."""
    return models.scores_version(workspace.db)


def _classes(values: list[int | None]) -> NDArray[np.uint8]:
    return np.array([NONE if value is None else value for value in values], np.uint8)


def _floats(values: list[float | None]) -> NDArray[np.float32]:
    return np.array([np.nan if value is None else value for value in values], np.float32)
