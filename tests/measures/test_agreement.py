"""Agreement of two readers, by hand and by scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from synthaug.measures.agreement import agreement, worst_first


def test_agreement_of_three_angles_calculated_by_hand() -> None:
    found = agreement(np.array([100.0, 110.0, 90.0]), np.array([102.0, 112.0, 89.0]))
    assert found.mean_absolute_error == pytest.approx(5 / 3)
    assert found.bias == pytest.approx(1)  # differences 2, 2, -1: mean 1, deviation sqrt(3)
    assert (found.low, found.high) == pytest.approx((1 - 1.96 * 3**0.5, 1 + 1.96 * 3**0.5))


def test_correlations_are_scipys() -> None:
    rng = np.random.default_rng(0)
    true = rng.normal(105, 8, 40)
    read = true + rng.normal(0, 4, 40)
    found = agreement(true, read)
    assert found.pearson == pytest.approx(stats.pearsonr(true, read).statistic)
    assert found.spearman == pytest.approx(stats.spearmanr(true, read).statistic)


def test_95_of_100_differences_lie_within_the_limits() -> None:
    rng = np.random.default_rng(1)
    difference = rng.normal(-2, 3, 4000)
    found = agreement(np.zeros(4000), difference)
    inside = ((difference >= found.low) & (difference <= found.high)).mean()
    assert inside == pytest.approx(0.95, abs=0.01)
    assert found.pearson is None  # the truth never varies


def test_one_image_has_no_correlation_and_no_images_are_refused() -> None:
    found = agreement(np.array([90.0]), np.array([95.0]))
    assert (found.bias, found.low, found.high) == (5, 5, 5)
    with pytest.raises(ValueError, match="the same number of angles"):
        agreement(np.zeros(0), np.zeros(0))


def test_the_worst_image_comes_first() -> None:
    true = np.zeros((3, 2))
    read = np.array([[1.0, -2.0], [0.0, 5.0], [-3.0, 0.0]])
    assert worst_first(true, read).tolist() == [1, 2, 0]
