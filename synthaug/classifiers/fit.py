"""Train a classifier on labeled images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from synthaug.classifiers.base import Images
from synthaug.classifiers.fitted import Fitted, FittedClassifier
from synthaug.classifiers.linear import fit_linear, real_of, refit_head
from synthaug.classifiers.loop import Loop, cpu_threads
from synthaug.classifiers.losses import Classification
from synthaug.classifiers.networks import choose_device
from synthaug.classifiers.pixels import check_images
from synthaug.classifiers.recipes import Recipe
from synthaug.classifiers.selection import hold_out
from synthaug.classifiers.training_record import TrainingRecord
from synthaug.errors import UserError
from synthaug.progress import EpochProgress

Labels = NDArray[np.integer[Any]]
Weights = NDArray[np.floating[Any]]


def fit(
    images: Images,
    labels: Labels,
    num_classes: int,
    recipe: Recipe,
    seed: int,
    *,
    weights: Weights | None = None,
    class_names: Sequence[str] | None = None,
    progress: EpochProgress | None = None,
    should_cancel: Callable[[], bool] | None = None,
    device: str | None = None,
    start: FittedClassifier | None = None,
    selection_set: tuple[Images, Labels] | None = None,
    synthetic: NDArray[np.bool_] | None = None,
) -> FittedClassifier:
    """Train a classifier on images (N, H, W, 3), uint8 or uint16, with labels (N,) in 0 .. num_classes - 1.

    On a CPU the same seed gives bit-equal weights on the same machine with the same number of threads.
    ``weights`` (N,) are the weights of the images in the loss; only their ratios matter.
    ``progress`` is called after each epoch with an :class:`synthaug.progress.EpochReport`.
    ``device`` is a torch device; None: the GPU if there is one, else the CPU.
    ``start`` is a classifier to continue from: its weights and standardisation are copied, and it stays unchanged.
    ``selection_set`` holds the images and labels that the selection "test" judges by; other selections ignore it.
    ``synthetic`` (N,) says which images are synthetic, for recipes that do not use them as real ones, and because
    settings are chosen on real ones; None: no image.
    Raises UserError for unsuitable data, and Cancelled on request.
    """
    names = tuple(class_names) if class_names is not None else tuple(map(str, range(num_classes)))
    _check(images, labels, weights, num_classes, names)
    given = _Given(images, labels, weights, real_of(synthetic, len(images)))
    _check_real(given.real, recipe)
    check_start(start, recipe, names)
    if recipe.head_only:
        return fit_linear(
            images, labels, recipe, seed, weights=weights, class_names=names, progress=progress,
            should_cancel=should_cancel, device=device, synthetic=synthetic,
        )  # fmt: skip
    given, judged = _chosen_by(given, recipe, seed, num_classes, selection_set)
    if recipe.pretrained and start is None:  # a fitted head protects the body (Kumar et al. 2022)
        start = fit_linear(
            given.images, given.labels, recipe, seed, weights=given.weights, class_names=names, device=device,
            synthetic=~given.real,
        )  # fmt: skip
    target = choose_device(device)
    with cpu_threads(recipe.cpu_threads):
        objective = given.objective(num_classes, recipe, target)
        loop = Loop(given.images, objective, recipe, seed, target, start, _last_rows(given.real, recipe))
        network, outcome = loop.train(judged, progress, should_cancel)
        training = training_record(outcome, seed, len(given.images), start)
        fitted = FittedClassifier(network, recipe, names, loop.mean.tolist(), loop.std.tolist(), training)
        if recipe.synthetic != "body":
            return fitted
        return refit_head(fitted, given.images[given.real], given.labels[given.real], seed)


class _Given(NamedTuple):
    """What a network learns from: N images, their labels, their weights, and which of them are real."""

    images: Images
    labels: Labels
    weights: Weights | None
    real: NDArray[np.bool_]

    def at(self, rows: NDArray[np.bool_]) -> _Given:
        """Only these images."""
        weights = None if self.weights is None else self.weights[rows]
        return _Given(self.images[rows], self.labels[rows], weights, self.real[rows])

    def objective(self, num_classes: int, recipe: Recipe, device: torch.device) -> Classification:
        """What the recipe minimises on them."""
        weights = _unit_mean(self.weights, len(self.images))
        return Classification(_long(self.labels).to(device), weights.to(device), num_classes, recipe)


def _chosen_by(
    given: _Given,
    recipe: Recipe,
    seed: int,
    num_classes: int,
    selection_set: tuple[Images, Labels] | None,
) -> tuple[_Given, tuple[Images, Tensor] | None]:
    """The images to learn from, and those by which the recipe's selection judges the epochs, if it judges them."""
    if recipe.selection == "test":
        judged = check_selection_set(selection_set)
        _check_labels(*judged, num_classes)
        return given, (judged[0], _long(judged[1]))
    if recipe.selection == "validation":
        held = hold_out(given.images, given.labels, recipe.validation_share, seed)
        return given.at(~held), (given.images[held], _long(given.labels[held]))
    return given, None


def training_record(outcome: TrainingRecord, seed: int, images: int, start: Fitted | None) -> TrainingRecord:
    """The record that a fitted network keeps of its training."""
    record: TrainingRecord = {"seed": seed, "images": images, **outcome}
    return record if start is None else {**record, "start": start.revision}


def check_start(start: Fitted | None, recipe: Recipe, names: tuple[str, ...]) -> None:
    """Raises UserError for a ``start`` with another network or other names."""
    if start is None:
        return
    if start.recipe.network != recipe.network:
        raise UserError(
            f"training cannot continue from a {start.noun} with the network {start.recipe.network!r}: the recipe "
            f"{recipe.name!r} has the network {recipe.network!r}; choose one with the same network"
        )
    if start.names != names:
        raise UserError(
            f"training cannot continue from a {start.noun} of {', '.join(start.names)}: "
            f"it must have the same names in the same order: {', '.join(names)}"
        )


def check_selection_set(
    selection_set: tuple[Images, NDArray[Any]] | None,
) -> tuple[Images, NDArray[Any]]:
    """The images and targets that the selection "test" judges by. Raises UserError if there are none."""
    if selection_set is None or not len(selection_set[0]):
        raise UserError(
            "the selection 'test' needs a selection_set of images and targets by which to judge the epochs"
        )
    check_images(selection_set[0])
    return selection_set


def _long(labels: Labels) -> Tensor:
    return torch.as_tensor(labels.astype(np.int64))


def _unit_mean(weights: Weights | None, count: int) -> Tensor:
    """The weights (N,) scaled to a mean of 1, so that the learning rate keeps its meaning."""
    if weights is None:
        return torch.ones(count)
    return torch.as_tensor(weights / weights.mean(), dtype=torch.float32)


def _check(
    images: Images, labels: Labels, weights: Weights | None, num_classes: int, names: tuple[str, ...]
) -> None:
    """Raises UserError for data from which nothing can be learned."""
    check_images(images)
    if not len(images):
        raise UserError("there are no images to train on; import or label some first")
    if len(names) != num_classes:
        raise UserError(f"{num_classes} classes need {num_classes} names, not {len(names)}")
    _check_labels(images, labels, num_classes)
    present = np.unique(labels)
    if len(present) < 2:
        raise UserError(
            f"all images have the class {names[present[0]]!r}; training needs at least two classes"
        )
    if weights is not None and not _usable(weights, labels):
        raise UserError(f"weights must be {len(images)} finite numbers, none below 0 and not all 0")


def _last_rows(real: NDArray[np.bool_], recipe: Recipe) -> Tensor | None:
    """The rows of the real images, if the recipe ends with them and there are others."""
    if recipe.synthetic != "first" or real.all():
        return None
    return torch.from_numpy(np.flatnonzero(real))


def _check_real(real: NDArray[np.bool_], recipe: Recipe) -> None:
    if recipe.synthetic != "mixed" and not real.any():
        raise UserError(
            f"the use {recipe.synthetic!r} of synthetic images needs real ones as well, and there are none; "
            "add real images or choose the use 'mixed'"
        )


def _check_labels(images: Images, labels: Labels, num_classes: int) -> None:
    if labels.shape != (len(images),):
        raise UserError(f"{len(images)} images need labels of shape ({len(images)},), not {labels.shape}")
    if labels.min() < 0 or labels.max() >= num_classes:
        raise UserError(f"labels must lie in 0 .. {num_classes - 1}, not in {labels.min()} .. {labels.max()}")


def _usable(weights: Weights, labels: Labels) -> bool:
    return bool(
        weights.shape == labels.shape and np.isfinite(weights).all() and weights.min() >= 0 and weights.any()
    )
