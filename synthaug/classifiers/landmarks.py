"""Training of a network that places the landmarks of a scheme: points, circles and the angles between them.

The method is that of Kakkar (2024). The network predicts M numbers in the order of the scheme: x and y of each landmark
and the radius of each circle, as shares of the side of a square image. Each image is also read in a few other places:
the mean of these readings is the prediction, and their spread gives its uncertainty.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from synthaug.classifiers.base import Images
from synthaug.classifiers.fit import training_record
from synthaug.classifiers.fitted import Fitted
from synthaug.classifiers.loop import Loop, cpu_threads
from synthaug.classifiers.networks import choose_device
from synthaug.classifiers.pixels import check_images
from synthaug.classifiers.recipes import RECIPES, Recipe
from synthaug.classifiers.similarity import Shares, variants
from synthaug.errors import UnknownName, UserError
from synthaug.landmarks.scheme import Scheme, partner, scheme_from_json
from synthaug.progress import EpochProgress

POINTS, RADII, ANGLES = 0.3, 1.5, 0.7
"""Weights of the three parts of the loss, as published."""
READINGS, EXTENT = 8, 0.5
"""How many more times an image is read, and how far it is moved: a share of what training moves it by.

Chosen on 240 drawn films, a third of them taken worse than any trained on: 20 readings were no better than 8, and the
whole extent was worse than half of it.
"""

SMALL = Recipe(
    name="landmarks",
    network="efficientnet_lite0_keypoints",
    epochs=10,
    batch_size=16,
    optimizer="adamw",
    lr=2e-3,
    weight_decay=1e-3,
    schedule="one-cycle",
    warmup_epochs=2,
    gradient_clip=1.0,
    image_size=160,
    dropout=0.1,
    mixed_precision=True,
    pretrained=True,
)
LANDMARK_RECIPES = {
    SMALL.name: SMALL,
    **{name: RECIPES[name] for name in ("efficientnet-b0", "efficientnet-b7")},
}
"""A small pretrained network for a CPU, and for a GPU EfficientNet-B0 and, as published, B7 at 600 pixels."""


def find_landmark_recipe(name: str) -> Recipe:
    """The landmark recipe called ``name``. Raises UnknownName."""
    if name not in LANDMARK_RECIPES:
        raise UnknownName("landmark recipe", name, LANDMARK_RECIPES)
    return LANDMARK_RECIPES[name]


def output_names(scheme: Scheme) -> tuple[str, ...]:
    """The names of the M numbers: ``left_head.x``, ``left_head.y``, ``left_head.radius`` ..."""
    parts = ("x", "y", "radius")
    return tuple(f"{each.name}.{part}" for each in scheme.landmarks for part in parts[: len(each.mean)])


def mirrored_shares(scheme: Scheme, shares: Shares) -> Shares:
    """Landmarks (N, M) of the images flipped left to right; left landmarks take the places and names of right ones."""
    names = output_names(scheme)
    other = [f"{partner(name.partition('.')[0])}.{name.partition('.')[2]}" for name in names]
    flipped = shares[:, [names.index(each) if each in names else i for i, each in enumerate(other)]]
    across = [i for i, name in enumerate(names) if name.endswith(".x")]
    flipped[:, across] = 1 - flipped[:, across]
    return flipped


class LandmarkLoss:
    """0.3 points + 1.5 radii + 0.7 angles, each a smooth L1 loss in standard deviations; judged in degrees."""

    measure: Literal["accuracy", "error"] = "error"
    higher_is_better = False

    def __init__(self, scheme: Scheme, targets: Tensor, mean: Tensor, std: Tensor) -> None:
        """``targets`` (N, M), standardised by ``mean`` (M,) and ``std`` (M,)."""
        names = output_names(scheme)
        self.scheme, self.targets, self.outputs = scheme, targets, len(names)
        self.mean, self.std = mean, std
        self.radii = [i for i, name in enumerate(names) if name.endswith(".radius")]
        self.points = [i for i in range(len(names)) if i not in self.radii]
        true = self._angles(targets)
        self.angle_std = true.std(0).clamp_min(1.0) if len(true) > 1 else torch.ones_like(true[0])

    def loss(self, outputs: Tensor, rows: Tensor) -> Tensor:
        targets = self.targets[rows]
        found = POINTS * F.smooth_l1_loss(outputs[:, self.points], targets[:, self.points])
        if self.radii:
            found = found + RADII * F.smooth_l1_loss(outputs[:, self.radii], targets[:, self.radii])
        if self.scheme.angles:
            predicted, true = (self._angles(each) / self.angle_std for each in (outputs, targets))
            found = found + ANGLES * F.smooth_l1_loss(predicted, true)
        return found

    def scores(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean absolute error (B,): of the angles in degrees or, without angles, of the landmarks in percent."""
        if not self.scheme.angles:
            return 100 * ((outputs - targets).abs() * self.std).mean(1)
        return (self._angles(outputs) - self._angles(targets)).abs().mean(1)

    def _angles(self, standardised: Tensor) -> Tensor:
        return angles_of(self.scheme, standardised * self.std + self.mean)


def angles_of(scheme: Scheme, shares: Tensor) -> Tensor:
    """Angles (B, A) in degrees of landmarks (B, M) on a square; landmarks.geometry.measure in differentiable form."""
    names = output_names(scheme)
    found: dict[str, Tensor] = {}

    def place(name: str) -> Tensor:
        start = names.index(f"{name}.x")
        return shares[:, start : start + 2]

    for angle in scheme.angles:
        if angle.difference is not None:
            found[angle.name] = found[angle.difference[0]] - found[angle.difference[1]]
            continue
        if angle.lines is not None:
            (a, b), (c, d) = angle.lines
            one, other = place(b) - place(a), place(d) - place(c)
        else:
            vertex, first, second = angle.landmarks
            one, other = place(first) - place(vertex), place(second) - place(vertex)
        cross = (one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]).abs()
        found[angle.name] = torch.atan2(cross + 1e-9, (one * other).sum(1)).rad2deg()
    return torch.stack(list(found.values()), 1) if found else shares.new_zeros(len(shares), 0)


class FittedLandmarks(Fitted):
    """A trained landmark model; its names are those of the M numbers."""

    noun = "landmark model"
    names_key = "output_names"

    @property
    def scheme(self) -> Scheme:
        """The scheme whose landmarks the model places."""
        return scheme_from_json(self.training["scheme"])

    def predict(self, images: Images) -> Shares:
        """Predicted landmarks (N, M), as shares of the side of the square image."""
        return self.predict_with_doubt(images)[0]

    def predict_with_doubt(self, images: Images) -> tuple[Shares, NDArray[np.float64]]:
        """Predicted landmarks and the expected error of each number, both (N, M), in the same shares.

        The error is the standard deviation of the readings, multiplied by ``training["doubt_scale"]``, which was
        measured on held-out images.
        """
        readings = self._readings(images)
        return readings.mean(0), readings.std(0) * float(self.training.get("doubt_scale", 1.0))

    def _readings(self, images: Images) -> NDArray[np.float64]:
        """Landmarks (1 + READINGS, N, M): of the images as they are, and as read from variants, moved back."""
        readings = [self._shares(self.outputs(images)[0])]
        for number in range(READINGS):
            varied, transforms = variants(images, number, EXTENT, alike=True)
            readings.append(transforms.moved_back(self._shares(self.outputs(varied)[0]), self.names))
        return np.stack(readings)

    def _shares(self, outputs: NDArray[Any]) -> Shares:
        shares: Shares = outputs * self._scale("std") + self._scale("mean")
        return shares

    def _scale(self, name: Literal["mean", "std"]) -> NDArray[np.float64]:
        return np.array(self.training["targets"][name], np.float64)


def fit_landmarks(
    images: Images,
    shares: Shares,
    scheme: Scheme,
    recipe: Recipe,
    seed: int,
    *,
    progress: EpochProgress | None = None,
    should_cancel: Callable[[], bool] | None = None,
    device: str | None = None,
) -> FittedLandmarks:
    """Train on square images (N, S, S, 3) and their landmarks (N, M), shares of the side. Raises UserError, Cancelled.

    ``progress`` is called after each epoch with ``train_error`` in degrees; other arguments as for :func:`.fit.fit`.
    """
    names = output_names(scheme)
    _check(images, shares, names, recipe)
    mean, std = shares.mean(0), np.maximum(shares.std(0), 1e-3)
    target = choose_device(device)
    standardised = torch.as_tensor((shares - mean) / std, dtype=torch.float32).to(target)
    tensors = (torch.as_tensor(each, dtype=torch.float32).to(target) for each in (mean, std))
    objective = LandmarkLoss(scheme, standardised, *tensors)
    with cpu_threads(recipe.cpu_threads):
        loop = Loop(images, objective, recipe, seed, target)
        network, outcome = loop.train(None, progress, should_cancel)
    training = training_record(outcome, seed, len(images), None)
    training["targets"] = {"mean": mean.tolist(), "std": std.tolist()}
    training["scheme"] = scheme.to_json()
    kept = replace(recipe, selection="last")
    return FittedLandmarks(network, kept, names, loop.mean.tolist(), loop.std.tolist(), training)


def _check(images: Images, shares: Shares, names: tuple[str, ...], recipe: Recipe) -> None:
    check_images(images)
    if len(images) < 2:
        raise UserError(f"training needs at least two images with landmarks, not {len(images)}")
    if shares.shape != (len(images), len(names)) or not np.isfinite(shares).all():
        raise UserError(f"{len(images)} images need finite landmarks of shape ({len(images)}, {len(names)})")
    if recipe.flip or recipe.crop_padding or recipe.flip_average:
        raise UserError(
            f"the recipe {recipe.name!r} crops or mirrors images but not their landmarks; choose another recipe"
        )
