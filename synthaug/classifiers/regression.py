"""Training of a network that predicts numbers instead of classes, such as the angles of a hip."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from synthaug.classifiers.base import Floats, Images
from synthaug.classifiers.fit import check_selection_set, check_start, training_record
from synthaug.classifiers.fitted import Fitted
from synthaug.classifiers.loop import Loop, cpu_threads
from synthaug.classifiers.networks import choose_device
from synthaug.classifiers.pixels import check_images
from synthaug.classifiers.recipes import Recipe
from synthaug.classifiers.selection import hold_out
from synthaug.errors import UserError
from synthaug.progress import EpochProgress

Targets = NDArray[np.floating[Any]]

_STRATA = 5  # held-out images come evenly from the fifths of the first target, so that they cover its range


class FittedRegressor(Fitted):
    """A trained regressor; its names are those of the M numbers, and it predicts in their units."""

    noun = "regressor"
    names_key = "target_names"

    @property
    def target_names(self) -> tuple[str, ...]:
        return self.names

    def predict(self, images: Images) -> Floats:
        """The numbers (N, M) float32, in the units of the training targets."""
        scale = self.training["targets"]
        std, mean = (np.array(each, np.float32) for each in (scale["std"], scale["mean"]))
        return self.outputs(images)[0] * std + mean


class Regression:
    """Smooth L1 loss (Girshick 2015) on standardised numbers, judged by the mean absolute error in their units."""

    measure: Literal["accuracy", "error"] = "error"
    higher_is_better = False

    def __init__(self, targets: Tensor, std: Tensor) -> None:
        """``targets`` (N, M) are standardised; ``std`` (M,) holds their standard deviations in their units."""
        self.targets = targets
        self.outputs = targets.shape[1]
        self.std = std

    def loss(self, outputs: Tensor, rows: Tensor) -> Tensor:
        """The mean loss over the batch and the M numbers."""
        return F.smooth_l1_loss(outputs, self.targets[rows])

    def scores(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The mean absolute error of each image (B,) over its M numbers."""
        return ((outputs - targets).abs() * self.std).mean(1)


def fit_regressor(
    images: Images,
    targets: Targets,
    target_names: Sequence[str],
    recipe: Recipe,
    seed: int,
    *,
    progress: EpochProgress | None = None,
    should_cancel: Callable[[], bool] | None = None,
    device: str | None = None,
    start: FittedRegressor | None = None,
    selection_set: tuple[Images, Targets] | None = None,
) -> FittedRegressor:
    """Train a regressor on images (N, H, W, 3) uint8 and their numbers (N, M).

    The recipe's ``loss`` and ``label_smoothing`` are for classes and have no effect. Numbers that distinguish left
    from right need a recipe without ``flip``. ``progress`` is called with ``train_error``, the mean absolute error in
    the targets' units; other arguments as for :func:`.fit.fit`. Raises UserError for unsuitable data, and Cancelled.
    """
    names = tuple(target_names)
    _check(images, targets, names)
    check_start(start, recipe, names)
    judged = check_selection_set(selection_set) if recipe.selection == "test" else None
    if recipe.selection == "validation":
        held = hold_out(images, _strata(targets), recipe.validation_share, seed)
        judged = images[held], targets[held]
        images, targets = images[~held], targets[~held]
    mean, std = _scale(targets, start)
    device_used = choose_device(device)

    def standardised(values: Targets) -> Tensor:
        return torch.as_tensor((values - mean) / std, dtype=torch.float32)

    objective = Regression(
        standardised(targets).to(device_used), torch.as_tensor(std, dtype=torch.float32).to(device_used)
    )
    with cpu_threads(recipe.cpu_threads):
        loop = Loop(images, objective, recipe, seed, device_used, start)
        shown = None if judged is None else (judged[0], standardised(judged[1]))
        network, outcome = loop.train(shown, progress, should_cancel)
    training = training_record(outcome, seed, len(images), start)
    training["targets"] = {"mean": mean.tolist(), "std": std.tolist()}
    return FittedRegressor(network, recipe, names, loop.mean.tolist(), loop.std.tolist(), training)


def _scale(targets: Targets, start: FittedRegressor | None) -> tuple[NDArray[Any], NDArray[Any]]:
    """The mean (M,) and standard deviation (M,) by which targets (N, M) are standardised; those of ``start``."""
    if start is None:
        return targets.mean(0), np.maximum(targets.std(0), 1e-6)
    scale = start.training["targets"]
    return np.array(scale["mean"]), np.array(scale["std"])


def _strata(targets: Targets) -> NDArray[np.int64]:
    """The stratum of each image (N,), 0 .. 4, by its first number."""
    edges = np.quantile(targets[:, 0], np.linspace(0, 1, _STRATA + 1)[1:-1])
    return np.searchsorted(edges, targets[:, 0]).astype(np.int64)


def _check(images: Images, targets: Targets, names: tuple[str, ...]) -> None:
    """Raises UserError for data from which nothing can be learned."""
    check_images(images)
    if len(images) < 2:
        raise UserError(f"training needs at least two images, not {len(images)}")
    if targets.ndim != 2 or targets.shape != (len(images), len(names)):
        raise UserError(
            f"{len(images)} images and {len(names)} names need targets of shape ({len(images)}, {len(names)}), "
            f"not {targets.shape}"
        )
    if not np.isfinite(targets).all():
        raise UserError("the targets must be finite numbers; leave out images that have none")
