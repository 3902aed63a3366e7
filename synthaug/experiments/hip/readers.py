"""Readers of angles (models trained on images with known angles) and their accuracy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from synthaug.classifiers.recipes import Recipe
from synthaug.config import HIP
from synthaug.experiments.hip.angles import Angles, Reading, as_targets
from synthaug.experiments.hip.scales import HipSettings
from synthaug.experiments.lab import Lab
from synthaug.importers.hip.angles import hip_class
from synthaug.importers.hip.phantom import READER, hip_phantom
from synthaug.progress import EpochProgress, EpochReport
from synthaug.stages.measuring import confusion_metrics
from synthaug.stages.pixels import load_pixels

if TYPE_CHECKING:
    from synthaug.classifiers.regression import FittedRegressor

STAND_IN = "stand-in reader"
PREVIOUS = "previous model"
READER_SEED = 1000  # differs from the seeds of the compared runs
READER_TEST = 200  # phantoms used only to test the stand-in reader

TARGETS = ("left angle", "right angle")
MAE, PEARSON, SPEARMAN = "mean absolute error (degrees)", "Pearson correlation", "Spearman correlation"


def fitted(
    lab: Lab,
    pixels: NDArray[np.uint8],
    targets: NDArray[np.float64],
    recipe: Recipe,
    seed: int,
    title: str,
    keep: EpochProgress | None = None,
) -> FittedRegressor:
    """Fit a regressor of both angles; ``keep`` is called with the measurements of each epoch."""
    from synthaug.classifiers.regression import fit_regressor

    def progress(epoch: EpochReport) -> None:
        lab.report(epoch["epoch"], epoch["epochs"], title)
        if keep is not None:
            keep(epoch)

    return fit_regressor(pixels, targets, TARGETS, recipe, seed, progress=progress)


def previous_model(lab: Lab, real: Angles, recipe: Recipe, generated: list[str]) -> Reading:
    """The angles that a model trained on the real images only predicts for the generated ones."""
    lab.say(f"the {PREVIOUS} measures {len(generated)} generated images")
    hashes = list(real)
    pixels = load_pixels(lab.workspace, hashes, recipe.image_size)
    model = fitted(lab, pixels, as_targets(hashes, real), recipe, READER_SEED, PREVIOUS)
    return Reading(PREVIOUS, _read(lab, model, recipe.image_size, generated))


def stand_in(lab: Lab, settings: HipSettings, generated: list[str]) -> Reading:
    """The angles that a model trained on many other phantoms predicts, in place of a veterinarian."""
    recipe, many = settings.reader_recipe, settings.reader_images
    lab.say(f"the {STAND_IN} learns from {many} phantoms and measures {len(generated)} generated images")
    phantoms = []
    for index in range(many + READER_TEST):
        phantoms.append(hip_phantom((0, READER, index), recipe.image_size))
        lab.report(index + 1, many + READER_TEST, f"phantoms for the {STAND_IN}")
    pixels = np.stack([each.pixels for each in phantoms])
    angles = np.array([[each.left_angle, each.right_angle] for each in phantoms])
    model = fitted(lab, pixels[:many], angles[:many], recipe, READER_SEED, STAND_IN)
    error = float(np.abs(model.predict(pixels[many:]) - angles[many:]).mean())
    return Reading(STAND_IN, _read(lab, model, recipe.image_size, generated), error)


def _read(lab: Lab, model: FittedRegressor, size: int, hashes: list[str]) -> Angles:
    """The angles that a model predicts for stored images, rounded to two decimals as in captions."""
    read = np.clip(model.predict(load_pixels(lab.workspace, hashes, size)), 1, 179).astype(np.float64)
    return {
        sha256: (round(left, 2), round(right, 2))
        for sha256, (left, right) in zip(hashes, read.tolist(), strict=True)
    }


def measured(
    truth: NDArray[np.float64], predicted: NDArray[np.float64], threshold: float
) -> dict[str, object]:
    """Metrics of predicted and true angles, both (N, 2) in degrees; errors and correlations are over both sides."""
    from synthaug.measures import metrics

    confusion = metrics.confusion_matrix(_classes(truth, threshold), _classes(predicted, threshold), len(HIP))
    true, found = truth.ravel(), predicted.ravel()
    return {
        **confusion_metrics(confusion),
        MAE: float(metrics.mean_absolute_error(true, found)),
        PEARSON: float(metrics.pearson(true, found)),
        SPEARMAN: float(metrics.spearman(true, found)),
        "predicted angles": predicted.round(3).tolist(),
    }


def _classes(angles: NDArray[np.float64], threshold: float) -> NDArray[np.int64]:
    return np.array([HIP.index(hip_class(left, right, threshold)) for left, right in angles], np.int64)
