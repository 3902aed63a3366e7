"""Orders of the queue that follow from the predictions: the least certain first, or class by class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from synthaug.store import models
from synthaug.store.scored import aligned, first_classes
from synthaug.workspace import Workspace

Ids = NDArray[np.int64]
UNKNOWN = 2.0
"""The certainty of an image without a prediction, or without a class to compare with: above every probability."""


def least_certain_first(workspace: Workspace, ids: Sequence[int]) -> list[int]:
    """Ids by the probability of the predicted class, the lowest first; equals and images without one by id."""
    wanted = np.sort(np.array(ids, np.int64))
    known, probs = _predicted(workspace, wanted)
    certainty = np.full(len(wanted), UNKNOWN)
    certainty[known] = probs.max(1, initial=0.0)
    return _sorted(wanted, certainty)


def least_as_prompted_first(workspace: Workspace, ids: Sequence[int]) -> list[int]:
    """Ids by the probability of the class that the image was generated for, the lowest first; as above."""
    wanted = np.sort(np.array(ids, np.int64))
    known, probs = _predicted(workspace, wanted)
    prompted = aligned(wanted, first_classes(workspace.db))[known, 0]
    certainty, of_known = np.full(len(wanted), UNKNOWN), np.full(len(probs), UNKNOWN)
    # False for NaN, and for a class that the model does not know
    asked = np.flatnonzero(prompted < probs.shape[1])
    of_known[asked] = probs[asked, prompted[asked].astype(np.int64)]
    certainty[known] = of_known
    return _sorted(wanted, certainty)


def by_predicted_class(workspace: Workspace, ids: Sequence[int]) -> list[int]:
    """Ids by predicted class, within it the least confident first; images without a prediction last, as they were."""
    wanted = np.array(ids, np.int64)
    known, probs = _predicted(workspace, wanted)
    if not known.any():
        return list(ids)
    found = wanted[known]
    ordered = found[np.lexsort((found, probs.max(1), probs.argmax(1)))]
    return [*ordered.tolist(), *wanted[~known].tolist()]


def _predicted(workspace: Workspace, ids: Ids) -> tuple[NDArray[np.bool_], models.Floats]:
    """Which of the images (N,) the classifier that predicted last has seen, and its probabilities for those (M, K)."""
    model = models.predicting(workspace.db)
    if model is None:
        return np.zeros(len(ids), bool), np.zeros((0, 0), np.float32)
    predicted, probs = models.all_probabilities(workspace.db, model.id)
    seen = np.array(predicted, np.int64)
    known = np.isin(ids, seen)
    return known, probs[np.searchsorted(seen, ids[known])]


def _sorted(ids: Ids, certainty: NDArray[np.float64]) -> list[int]:
    ordered: list[int] = ids[np.lexsort((ids, certainty))].tolist()
    return ordered
