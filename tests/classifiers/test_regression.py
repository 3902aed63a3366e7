"""Numbers from images: brightness is a linear function that any network should learn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import pearsonr

from synthaug.classifiers.recipes import RECIPES
from synthaug.classifiers.regression import FittedRegressor, fit_regressor
from synthaug.errors import UserError

RECIPE = replace(RECIPES["digits"], epochs=6)
NAMES = ("half", "opposite")


def bright(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Noisy gray images, and two linear functions of their brightness."""
    rng = np.random.default_rng(seed)
    level = rng.uniform(40, 200, count)
    noisy = rng.normal(level[:, None, None, None], 20, (count, 16, 16, 3))
    return np.clip(noisy, 0, 255).astype(np.uint8), np.stack([0.5 * level + 3, 200 - level], 1)


@pytest.fixture(scope="module")
def fitted() -> FittedRegressor:
    return fit_regressor(*bright(0, 200), NAMES, RECIPE, 0)


def test_a_linear_function_is_learned(fitted: FittedRegressor) -> None:
    images, truth = bright(1, 100)
    predicted = fitted.predict(images)
    assert predicted.shape == (100, 2)
    for column in range(2):
        assert pearsonr(truth[:, column], predicted[:, column]).statistic > 0.95
    assert fitted.target_names == NAMES
    assert fitted.features(images).shape == (100, 128)


def test_the_same_seed_gives_the_same_numbers() -> None:
    images, targets = bright(0, 60)
    brief = replace(RECIPE, epochs=1)
    first, second, other = (fit_regressor(images, targets, NAMES, brief, seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.predict(images), second.predict(images))
    assert first.revision == second.revision != other.revision


def test_a_file_gives_the_same_predictions(fitted: FittedRegressor, tmp_path: Path) -> None:
    images, _ = bright(1, 10)
    fitted.save(tmp_path / "r.safetensors")
    np.testing.assert_array_equal(
        FittedRegressor.load(tmp_path / "r.safetensors").predict(images), fitted.predict(images)
    )


def test_errors_are_reported_in_the_units_of_the_targets() -> None:
    reports: list[float] = []
    images, targets = bright(0, 120)
    validated = replace(RECIPE, epochs=4, selection="validation")
    fitted = fit_regressor(
        images, targets, NAMES, validated, 0, progress=lambda each: reports.append(each["selection_error"])
    )
    assert fitted.training["selection_error"] == min(reports)
    assert fitted.training["images"] == 110  # two of each fifth of 24 are held out
    spread = float(np.abs(targets - targets.mean(0)).mean())
    assert 0 < min(reports) < 2 * spread  # of the size of the targets' own spread, not of standardised ones


@pytest.mark.parametrize(
    ("images", "targets", "said"),
    [
        (2, np.zeros((2, 3)), r"shape \(2, 2\)"),
        (2, np.full((2, 2), np.nan), "finite"),
        (1, np.zeros((1, 2)), "two images"),
    ],
)
def test_bad_targets_are_refused(images: int, targets: np.ndarray, said: str) -> None:
    with pytest.raises(UserError, match=said):
        fit_regressor(bright(0, images)[0], targets, NAMES, RECIPE, 0)
