"""Train a network on numbers instead of classes: the angles of a hip, say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from synthaug.classifiers.base import Floats, Images
from synthaug.classifiers.fit import check_start, training_record
from synthaug.classifiers.fitted import Fitted
from synthaug.classifiers.loop import Loop, cpu_threads
from synthaug.classifiers.networks import choose_device
from synthaug.classifiers.pixels import check_images
from synthaug.classifiers.recipes import Recipe
from synthaug.classifiers.selection import hold_out
from synthaug.errors import UserError
from synthaug.progress import EpochProgress

Targets = NDArray[np.floating[Any]]

_STRATA = 5  # held-out images are drawn from fifths of the first target's range, so that they span it


class FittedRegressor(Fitted):
    """A trained regressor; the names are those of its M numbers, in whose units it predicts."""

    noun = "regressor"
    names_key = "target_names"

    @property
    def target_names(self) -> tuple[str, ...]:
        return self.names

    def predict(self, images: Images) -> Floats:
        """The numbers (N, M), in the units of the training targets."""
        scale: Mapping[str, list[float]] = self.training["targets"]
        std, mean = (np.array(scale[key], np.float32) for key in ("std", "mean"))
        return self.outputs(images)[0] * std + mean


class Regression:
    """Smooth L1 loss (Girshick 2015) on standardised numbers, judged by the mean absolute error in their unit."""

    measure = "error"
    higher_is_better = False

    def __init__(self, targets: Tensor, std: Tensor) -> None:
        """``targets`` (N, M), standardised; ``std`` (M,) takes them back to their units."""
        self.targets = targets
        self.outputs = targets.shape[1]
        self.std = std

    def loss(self, outputs: Tensor, rows: Tensor) -> Tensor:
        """Mean over the batch and the M numbers."""
        return F.smooth_l1_loss(outputs, self.targets[rows])

    def scores(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Absolute error of each image (B,), mean over its M numbers."""
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
    """Train on images (N, H, W, 3) uint8 with numbers (N, M).

    The recipe's network and schedule are used, its ``loss`` and ``label_smoothing`` are for classes. Numbers that
    tell left from right need a recipe without ``flip``. Other arguments as for :func:`.fit.fit`. ``progress`` gets
    train_error, the mean absolute error in the targets' units. Raises UserError.
    """
    names = tuple(target_names)
    _check(images, targets, names)
    check_start(start, recipe, names)
    judged = selection_set if recipe.selection == "test" else None
    if recipe.selection == "test" and judged is None:
        raise UserError("selection 'test' needs the images and numbers to judge by: selection_set")
    if recipe.selection == "validation":
        held = hold_out(images, _strata(targets), recipe.validation_share, seed)
        judged = images[held], targets[held]
        images, targets = images[~held], targets[~held]
    if start is None:
        mean, std = targets.mean(0), np.maximum(targets.std(0), 1e-6)
    else:
        mean, std = (np.array(start.training["targets"][key]) for key in ("mean", "std"))
    place = choose_device(device)

    def standardised(values: Targets) -> Tensor:
        return torch.as_tensor((values - mean) / std, dtype=torch.float32)

    objective = Regression(
        standardised(targets).to(place), torch.as_tensor(std, dtype=torch.float32).to(place)
    )
    with cpu_threads(recipe.cpu_threads):
        loop = Loop(images, objective, recipe, seed, place, start)
        shown = None if judged is None else (judged[0], standardised(judged[1]))
        network, outcome = loop.train(shown, progress, should_cancel)
    training = training_record(outcome, seed, len(images), start)
    training["targets"] = {"mean": mean.tolist(), "std": std.tolist()}
    return FittedRegressor(network, recipe, names, loop.mean.tolist(), loop.std.tolist(), training)


def _strata(targets: Targets) -> NDArray[np.int64]:
    """A stratum (N,) by the first of the numbers."""
    edges = np.quantile(targets[:, 0], np.linspace(0, 1, _STRATA + 1)[1:-1])
    return np.searchsorted(edges, targets[:, 0]).astype(np.int64)


def _check(images: Images, targets: Targets, names: tuple[str, ...]) -> None:
    """Refuse data that nothing can be learned from."""
    check_images(images)
    if len(images) < 2:
        raise UserError(f"training needs two images or more, not {len(images)}")
    if targets.ndim != 2 or targets.shape != (len(images), len(names)):
        raise UserError(
            f"{len(images)} images and {len(names)} names need numbers of shape ({len(images)}, {len(names)}), "
            f"not {targets.shape}"
        )
    if not np.isfinite(targets).all():
        raise UserError("the numbers to learn must be finite; leave out images without them")
