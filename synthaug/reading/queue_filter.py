"""Filtering a queue by class, confidence, annotator and source of the label."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import astuple, dataclass

from synthaug.records import LabelSource
from synthaug.store import labels, models
from synthaug.store.labels import CurrentLabel
from synthaug.store.models import Prediction
from synthaug.workspace import Workspace


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """The conditions of a filter; None means any value."""

    class_index: int | None = None  # of the label, or else of the prediction
    confidence_from: float | None = None  # 0..1, of the prediction
    confidence_to: float | None = None
    annotator: str | None = None  # of the current label
    source: LabelSource | None = None  # of the current label

    @property
    def is_open(self) -> bool:
        """Whether the filter has no condition."""
        return all(each is None for each in astuple(self))


def matching(
    workspace: Workspace, image_ids: Sequence[int], wanted: QueueFilter, unseen: Collection[int] = ()
) -> list[int]:
    """The ids that match, in the same order; ``unseen`` images, which are to be read blind, never match."""
    ids = [each for each in image_ids if each not in unseen]
    current = labels.current(workspace.db, ids)
    model = models.predicting(workspace.db)
    predicted = {} if model is None else models.predictions_of(workspace.db, model.id, ids)
    return [each for each in ids if _matches(wanted, current.get(each), predicted.get(each))]


def annotators(workspace: Workspace) -> list[str]:
    """The annotators of current labels, in alphabetical order."""
    return labels.annotators(workspace.db)


def _matches(wanted: QueueFilter, label: CurrentLabel | None, prediction: Prediction | None) -> bool:
    if wanted.annotator is not None and (label is None or label.annotator != wanted.annotator):
        return False
    if wanted.source is not None and (label is None or label.source != wanted.source):
        return False
    if wanted.class_index is not None and _class_of(label, prediction) != wanted.class_index:
        return False
    low, high = wanted.confidence_from, wanted.confidence_to
    if low is None and high is None:
        return True
    return prediction is not None and (low or 0.0) <= prediction.confidence <= (1.0 if high is None else high)


def _class_of(label: CurrentLabel | None, prediction: Prediction | None) -> int | None:
    if label is not None:
        return label.class_index
    return None if prediction is None else prediction.class_index
