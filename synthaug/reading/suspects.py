"""Queues of suspect images: near-duplicates, likely label errors, and disagreements with the classifier."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from synthaug.config import CROSS_FIT_FOLDS
from synthaug.errors import UnknownName
from synthaug.measures.label_errors import label_errors, label_quality
from synthaug.measures.linear_head import cross_fitted_probabilities
from synthaug.reading import explore
from synthaug.reading.explore import NONE, Points
from synthaug.reading.feature_space import FeatureSpace, duplicate_groups
from synthaug.stages.score import duplicate_share
from synthaug.store import cross_fits, models, selections
from synthaug.workspace import Workspace

Kind = Literal["duplicates", "label-errors", "disagreements"]

SAVED = "set:"
REJECTED = explore.STATES["reject"]
LABELED = explore.STATES["class"]
REAL_TRAIN, REAL_TEST, SYNTHETIC = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Suspects:
    """A queue of image ``ids``, the most suspect first, each with a short caption.

    ``marked`` are the images that an action applies to by default. ``note`` says how the images were found, and what
    to do with them.
    """

    kind: str  # a Kind, or SAVED followed by the name of a saved selection
    title: str
    note: str
    ids: tuple[int, ...]
    captions: tuple[str, ...]
    marked: tuple[int, ...]


def suspects(workspace: Workspace, kind: str, space: FeatureSpace | None) -> Suspects:
    """The queue of a kind; empty if no image has been scored. Raises UnknownName."""
    if kind not in get_args(Kind):
        raise UnknownName("kind of suspects", kind, get_args(Kind))
    if space is None:
        return Suspects(kind, TITLES[kind], NOTHING, (), (), ())
    return FINDERS[kind](workspace, space, explore.points(workspace))


def saved_names(workspace: Workspace) -> list[str]:
    """Names of the saved selections, in alphabetical order."""
    return selections.names(workspace.db)


def saved(workspace: Workspace, name: str) -> Suspects:
    """A saved selection as a queue without captions. Raises UnknownName."""
    ids = tuple(selections.read(workspace.db, name))
    return Suspects(f"{SAVED}{name}", name, "A saved selection.", ids, (), ())


def near_duplicates(workspace: Workspace, space: FeatureSpace, points: Points) -> Suspects:
    """Groups of near-duplicates, the image to keep first and the others marked; rejected images are left out."""
    place = {int(image_id): i for i, image_id in enumerate(points.ids)}
    own = _own_probability(workspace, points)
    groups = []
    for group in duplicate_groups(models.duplicates(workspace.db)):
        left = [place[each] for each in group if points.state[place[each]] != REJECTED]
        if len(left) > 1:
            groups.append(sorted(left, key=lambda i: _merit(points, own, i)))
    rows = [
        (i, "keep" if i == group[0] else f"like {points.ids[group[0]]}") for group in groups for i in group
    ]
    extra = [i for group in groups for i in group[1:] if points.origin[i] != REAL_TEST]
    note = (
        f"{len(groups)} groups of images that are closer in the features of {space.name} than "
        f"{duplicate_share(workspace, space.name):.0%} of the usual distance to a nearest image. The best of each "
        "group stands first and is not marked: a real one, a labeled one, then the one surest of its class. Reject "
        "takes out the others."
    )
    return _queue(points, "duplicates", note, rows, extra)


def likely_label_errors(workspace: Workspace, space: FeatureSpace, points: Points) -> Suspects:
    """Real training images whose label a head, fitted without them, does not believe; the least credible first."""
    rows, labels = _judged(space, points)
    kind: Kind = "label-errors"
    if len(np.unique(labels)) < 2:
        return _queue(
            points,
            kind,
            f"It takes two classes with {CROSS_FIT_FOLDS} labeled real training images each.",
            [],
            [],
        )
    places = np.searchsorted(space.ids, points.ids[rows])
    probs = _believed(space, places.tobytes(), labels.tobytes(), len(workspace.classes))
    wrong = np.flatnonzero(label_errors(labels, probs))
    wrong = wrong[np.argsort(label_quality(labels, probs)[wrong], kind="stable")]
    names = workspace.classes
    found = [
        (int(rows[i]), f"{names[labels[i]]}→{names[probs[i].argmax()]} {probs[i].max():.0%}") for i in wrong
    ]
    note = (
        f"Confident learning over {len(rows):,} labeled real training images: a linear head on the features of "
        f"{space.name}, fitted in {CROSS_FIT_FOLDS} folds without the image that it judges, sees another class than "
        "the label. "
        "Shown are the label and what the head sees. Label them again, or leave them."
    )
    return _queue(points, kind, note, found, [i for i, _ in found])


@lru_cache(maxsize=1)
def _believed(space: FeatureSpace, places: bytes, labels: bytes, classes: int) -> NDArray[np.float32]:
    """Cross-fitted class probabilities (N, K) of rows (int64) of the features with these labels (int64).

    They are cached, because most labels are given to synthetic images, which do not change them.
    """
    rows, known = np.frombuffer(places, np.int64), np.frombuffer(labels, np.int64)
    return cross_fitted_probabilities(space.features[rows], known, classes, folds=CROSS_FIT_FOLDS)


def disagreements(workspace: Workspace, space: FeatureSpace, points: Points) -> Suspects:
    """Images whose predicted class is not that of their label, or else of their prompt; the most confident first."""
    del space
    claimed = _claimed(points)
    disputed = (claimed != NONE) & (points.predicted != NONE) & (claimed != points.predicted)
    disputed &= points.state != REJECTED
    own = _own_probability(workspace, points)
    order = np.flatnonzero(disputed)
    order = order[np.argsort(own[order] - points.confidence[order], kind="stable")]
    rows = [(int(i), _dispute(points, workspace.classes, int(i))) for i in order]
    note = (
        "The classifier sees another class than the label, or, where nobody labeled the image, than the prompt asked "
        f"for. {_kindness(workspace, points)}"
        if points.model_id is not None
        else "There are no predictions yet: train a classifier first."
    )
    return _queue(points, "disagreements", note, rows, [i for i, _ in rows if points.origin[i] != REAL_TEST])


def _kindness(workspace: Workspace, points: Points) -> str:
    """What is to be known of the predictions of images that the model was trained on."""
    fitted = None if points.model_id is None else cross_fits.of_model(workspace.db, points.model_id)
    if fitted is None:
        return (
            f"Predictions of images that {points.model} was trained on are kinder than they should be; cross-fit them "
            "on the Generate page."
        )
    return (
        f"The {fitted.images:,} images that {points.model} was trained on are predicted by models fitted without them, "
        f"in {fitted.folds} folds."
    )


def _queue(points: Points, kind: Kind, note: str, rows: list[tuple[int, str]], marked: list[int]) -> Suspects:
    return Suspects(
        kind,
        TITLES[kind],
        note,
        tuple(int(points.ids[i]) for i, _ in rows),
        tuple(caption for _, caption in rows),
        tuple(int(points.ids[i]) for i in marked),
    )


def _claimed(points: Points) -> NDArray[np.uint8]:
    """The class (N,) of each point: that of its label, or else of its prompt, or else NONE."""
    claimed: NDArray[np.uint8] = np.where(points.state == LABELED, points.label, points.prompted)
    return claimed


def _own_probability(workspace: Workspace, points: Points) -> NDArray[np.float64]:
    """The predicted probability (N,) of the class of each point; 0 without a class or a prediction."""
    probs = models.scored_probabilities(workspace.db)
    claimed = _claimed(points)
    known = (claimed < probs.shape[1]) & ~np.isnan(probs[:, 0])
    own = np.zeros(len(claimed))
    own[known] = probs[known, claimed[known]]
    return own


def _merit(points: Points, own: NDArray[np.float64], i: int) -> tuple[bool, bool, bool, float, int]:
    """A sort key of the images in a group; the lowest is kept."""
    synthetic, test = points.origin[i] == SYNTHETIC, points.origin[i] == REAL_TEST
    return bool(synthetic), not test, bool(points.state[i] != LABELED), -float(own[i]), int(points.ids[i])


def _judged(space: FeatureSpace, points: Points) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions and labels of labeled real training images with features, of classes with one or more for each fold."""
    able = (points.origin == REAL_TRAIN) & (points.state == LABELED) & np.isin(points.ids, space.ids)
    rows = np.flatnonzero(able)
    labels = points.label[rows].astype(np.int64)
    enough = np.bincount(labels, minlength=1)[labels] >= CROSS_FIT_FOLDS if len(labels) else np.zeros(0, bool)
    return rows[enough], labels[enough]


def _dispute(points: Points, names: tuple[str, ...], i: int) -> str:
    """The class of the label or prompt, and the predicted class with its probability, as a caption."""
    return f"{names[_claimed(points)[i]]}→{names[points.predicted[i]]} {points.confidence[i]:.0%}"


TITLES: Mapping[str, str] = {
    "duplicates": "Near-duplicates",
    "label-errors": "Likely label errors",
    "disagreements": "Disagreements",
}
NOTHING = "Nothing is known before features are computed."
FINDERS: Mapping[str, Callable[[Workspace, FeatureSpace, Points], Suspects]] = {
    "duplicates": near_duplicates,
    "label-errors": likely_label_errors,
    "disagreements": disagreements,
}
