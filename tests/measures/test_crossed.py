from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from scipy.special import ndtr

from synthaug.measures.crossed import crossed_interval, mcnemar
from synthaug.measures.evidence import mean_interval

Correct = NDArray[np.bool_]


def runs(rng: np.random.Generator, seeds: int, images: int, by_seed: float, by_image: float) -> list[Correct]:
    """Both sides: an image is named right where its ease, the run's luck and chance add up to more than 0.

    What the added images do to an image has a spread of ``by_image`` and a mean of 0 on that scale.
    """
    ease = rng.normal(1.0, 1.5, images)
    effect = rng.normal(0, by_image, images)
    luck = rng.normal(0, by_seed, (2, seeds, 1))
    chance = rng.normal(0, 0.7, (2, seeds, images))
    return [ease + luck[0] + chance[0] > 0, ease + effect + luck[1] + chance[1] > 0]


def true_difference(by_seed: float, by_image: float) -> float:
    """Over all seeds and images: normal variables that add up."""
    spread = 1.5**2 + by_seed**2 + 0.7**2
    return float(ndtr(1 / np.sqrt(spread + by_image**2)) - ndtr(1 / np.sqrt(spread)))


@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize(("by_seed", "by_image"), [(0.02, 0.3), (0.1, 0.3), (0.02, 1.0), (0.2, 0.0)])
def test_the_crossed_interval_covers_other_seeds_and_images(
    seeds: int, by_seed: float, by_image: float
) -> None:
    worlds, truth = 300, true_difference(by_seed, by_image)
    rng = np.random.default_rng([seeds, round(100 * by_seed), round(100 * by_image)])
    crossed = over_seeds = 0
    for _ in range(worlds):
        before, after = runs(rng, seeds, 500, by_seed, by_image)
        both = crossed_interval(before, after)
        one = mean_interval(after.mean(1) - before.mean(1))
        assert both is not None
        assert one is not None
        assert both[0] <= one[0] <= one[1] <= both[1]
        crossed += both[0] <= truth <= both[1]
        over_seeds += one[0] <= truth <= one[1]
    assert crossed / worlds >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / worlds)
    if (seeds, by_image) == (10, 1.0):
        assert over_seeds / worlds < 0.85  # an interval over seeds says nothing of other images


def test_the_crossed_interval_is_as_wide_as_the_crossed_bootstrap() -> None:
    """Resampling seeds and images each by itself counts what is left over thrice (Owen 2007)."""
    rng = np.random.default_rng(0)
    seeds, images = 20, 400
    before, after = runs(rng, seeds, images, 0.05, 0.8)
    change = after.astype(float) - before
    rows = rng.multinomial(seeds, np.full(seeds, 1 / seeds), 4000)
    columns = rng.multinomial(images, np.full(images, 1 / images), 4000)
    resampled = np.einsum("bs,si,bi->b", rows, change, columns, optimize=True) / change.size
    interval = crossed_interval(before, after)
    assert interval is not None
    ours = ((interval[1] - interval[0]) / 2 / stats.t.ppf(0.975, seeds - 1)) ** 2
    left = change - change.mean(0) - change.mean(1, keepdims=True) + change.mean()
    thrice = ours + 2 * left.var() / change.size
    assert resampled.var() == pytest.approx(thrice, rel=0.08)


def test_the_crossed_interval_calculated_by_hand() -> None:
    # Changes (2 seeds, 2 images): 1 0 / 1 1. Mean 0.75; MS_seeds = MS_images = MS_rest = 0.25.
    before = np.array([[False, True], [False, False]])
    after = np.array([[True, True], [True, True]])
    interval = crossed_interval(before, after)
    half = stats.t.ppf(0.975, 1) * np.sqrt(0.25 / 4 + 1 / (6 * 4 * 2))
    assert interval == pytest.approx((0.75 - half, 0.75 + half))
    assert crossed_interval(before[:1], after[:1]) is None


def test_mcnemar_is_the_sign_test_on_what_changed() -> None:
    before = np.array([[True] * 3 + [False] * 9 + [True] * 50])
    after = np.array([[False] * 3 + [True] * 9 + [True] * 50])
    (found,) = mcnemar(before, after)
    assert (found.gained, found.lost) == (9, 3)
    assert found.p == pytest.approx(2 * stats.binom.cdf(3, 12, 0.5))
    (same,) = mcnemar(before, before)
    assert (same.gained, same.lost, same.p) == (0, 0, 1.0)


def test_sides_that_do_not_match_are_refused() -> None:
    with pytest.raises(ValueError, match="same runs and images"):
        crossed_interval(np.ones((2, 3), bool), np.ones((2, 4), bool))
    with pytest.raises(ValueError, match="at least two of them, not 1"):
        crossed_interval(np.ones((2, 1), bool), np.ones((2, 1), bool))
