"""Predictions of training images by models that have not seen them: cross-fitting in K folds.

A model is too sure of the images that it was trained on. For such images, K models are fitted, each without a K-th of
the images, and each predicts what it was fitted without.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from synthaug.classifiers.base import Floats
from synthaug.config import CROSS_FIT_FOLDS
from synthaug.errors import UserError
from synthaug.measures.linear_head import cross_fitted, cross_fitted_probabilities
from synthaug.progress import Progress
from synthaug.stages.extract import features_of
from synthaug.stages.seeds import check_seed
from synthaug.stages.train import Dataset, fit_recipe, load_images, load_test_set
from synthaug.store import cross_fits, labels, models, views
from synthaug.store.cross_fits import CrossFit
from synthaug.workspace import Workspace

if TYPE_CHECKING:
    from synthaug.classifiers.fitted import FittedClassifier

MOST_FOLDS = 50
HEAD = "linear head"
"""What is fitted by default: softmax regression on the features of a pretrained network, which saw no labels."""


@dataclass(frozen=True, slots=True)
class _Learned:
    """The different images that a model was trained on: ids, hashes, classes (N,), and whether synthetic (N,)."""

    ids: list[int]
    hashes: list[str]
    classes: NDArray[np.int64]
    synthetic: NDArray[np.bool_]


def cross_fit(
    workspace: Workspace,
    model: models.Model,
    folds: int = CROSS_FIT_FOLDS,
    *,
    full_recipe: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
    should_cancel: Callable[[], bool] | None = None,
) -> CrossFit:
    """Predict the images that ``model`` was trained on by models fitted without them; these predictions are shown.

    A linear head on pretrained features takes seconds once they are stored; ``full_recipe`` trains as ``model`` was
    trained, ``folds`` times. The images must have been predicted by ``model`` before. Raises UserError where there are
    too few images or folds, Cancelled.
    """
    check_folds(folds)
    check_seed(seed)
    learned = _learned(workspace, model)
    _check(learned, model, folds)
    if full_recipe:
        probs, recipe, features = _by_recipe(workspace, model, learned, folds, seed, progress, should_cancel)
    else:
        rows, features = features_of(workspace, learned.hashes, progress)
        recipe = HEAD
        probs = cross_fitted_probabilities(
            rows, learned.classes, len(workspace.classes), folds=folds, seed=seed
        )
    done = CrossFit(
        model_id=model.id,
        recipe=recipe,
        features=features,
        folds=folds,
        seed=seed,
        images=len(learned.ids),
        accuracy=float((probs.argmax(1) == learned.classes).mean()),
        log_loss=_log_loss(probs, learned.classes),
    )
    cross_fits.record(workspace.db, done, learned.ids, probs)
    return done


def check_folds(folds: int) -> None:
    """Raises UserError."""
    if not 2 <= folds <= MOST_FOLDS:
        raise UserError(f"{folds} folds; cross-fitting takes 2 .. {MOST_FOLDS}")


def _check(learned: _Learned, model: models.Model, folds: int) -> None:
    if len(learned.ids) < folds:
        raise UserError(
            f"{model.name} was trained on {len(learned.ids)} images of this workspace; {folds} folds need at least "
            f"{folds}"
        )
    if len(np.unique(learned.classes)) < 2:
        raise UserError(f"{model.name} was trained on images of one class; cross-fitting needs two or more")


def _learned(workspace: Workspace, model: models.Model) -> _Learned:
    """What the model was trained on: its view, or else every training image that had its label by then."""
    if model.view_id is not None:
        members: dict[int, tuple[str, int, bool]] = {
            each.image_id: (each.sha256, each.class_index, each.origin == "synthetic")
            for each in views.members(workspace.db, model.view_id)
        }
    else:  # a quick model, which uses synthetic images as real ones
        labeled = labels.labeled_for_training(workspace.db)
        known = models.learned_from(workspace.db, model, [each.image_id for each in labeled])
        members = {
            each.image_id: (each.sha256, each.class_index, False)
            for each in labeled
            if each.image_id in known
        }
    ids = sorted(members)
    return _Learned(
        ids,
        [members[each][0] for each in ids],
        np.array([members[each][1] for each in ids], np.int64),
        np.array([members[each][2] for each in ids], np.bool_),
    )


def _by_recipe(
    workspace: Workspace,
    model: models.Model,
    learned: _Learned,
    folds: int,
    seed: int,
    progress: Progress | None,
    should_cancel: Callable[[], bool] | None,
) -> tuple[Floats, str, str | None]:
    """Probabilities (N, K), the name of the recipe, and the revision of the features that it learns from, if any."""
    from synthaug.classifiers.fitted import FittedClassifier

    recipe = FittedClassifier.load(workspace.root / model.file).recipe
    data = load_images(workspace, learned.hashes, learned.classes, recipe, learned.synthetic)
    test = load_test_set(workspace, recipe) if recipe.selection == "test" else None
    times = _times(workspace, model, learned)
    done = 0

    def predict(inside: NDArray[np.bool_]) -> Floats:
        nonlocal done
        _report(progress, done, folds)
        rows = np.repeat(np.flatnonzero(inside), times[inside])
        part = replace(
            data, inputs=data.inputs[rows], labels=data.labels[rows], synthetic=learned.synthetic[rows]
        )
        classifier = fit_recipe(workspace.classes, part, recipe, seed, test=test, should_cancel=should_cancel)
        done += 1
        _report(progress, done, folds)
        return _probabilities(classifier, data, ~inside)

    probs = cross_fitted(predict, learned.classes, len(workspace.classes), folds=folds, seed=seed)
    return probs, recipe.name, data.extractor


def _times(workspace: Workspace, model: models.Model, learned: _Learned) -> NDArray[np.int64]:
    """How often each image is in the model's view (N,): a view may hold an image many times."""
    if model.view_id is None:
        return np.ones(len(learned.ids), np.int64)
    ids = [each.image_id for each in views.members(workspace.db, model.view_id)]
    counts = np.bincount(np.searchsorted(learned.ids, ids), minlength=len(learned.ids))
    return counts.astype(np.int64)


def _probabilities(classifier: FittedClassifier, data: Dataset, rows: NDArray[np.bool_]) -> Floats:
    from synthaug.classifiers.linear import head_probabilities

    inputs: NDArray[Any] = data.inputs[rows]
    if data.extractor is not None:
        return head_probabilities(classifier, inputs)
    return classifier.probabilities(inputs)


def _log_loss(probs: Floats, classes: NDArray[np.int64]) -> float:
    """Mean negative logarithm of the probability of the label, in nats; lower = better."""
    own = probs[np.arange(len(classes)), classes].astype(np.float64)
    return float(-np.log(np.maximum(own, np.finfo(np.float32).tiny)).mean())


def _report(progress: Progress | None, done: int, folds: int) -> None:
    if progress is not None:
        progress(done, folds, f"{done} of {folds} folds trained")
