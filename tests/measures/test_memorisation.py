from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import mannwhitneyu
from sklearn.neighbors import NearestNeighbors

from synthaug.errors import UserError
from synthaug.measures.memorisation import memorisation, nearest_distances

RNG = np.random.default_rng(0)
TRAIN, TEST = RNG.normal(size=(500, 8)), RNG.normal(size=(300, 8))
FRESH = RNG.normal(size=(400, 8))


def test_scikit_learn_finds_the_same_distances() -> None:
    theirs = NearestNeighbors(n_neighbors=1).fit(TRAIN).kneighbors(TEST)[0][:, 0]
    np.testing.assert_allclose(nearest_distances(TEST, TRAIN), theirs, rtol=1e-4)


def test_fresh_images_look_like_test_images() -> None:
    found = memorisation(FRESH, TRAIN, TEST)
    assert found.ratio == pytest.approx(1, abs=0.1)
    assert found.closer == pytest.approx(0.5, abs=0.06)
    assert found.copies < 0.05


def test_copies_of_the_training_set_are_found() -> None:
    found = memorisation(TRAIN[:200], TRAIN, TEST)
    assert (found.ratio, found.closer, found.copies) == (0, 1, 1)
    half = memorisation(np.concatenate([TRAIN[:200], FRESH[:200]]), TRAIN, TEST)
    assert half.copies == pytest.approx(0.5, abs=0.03)
    assert half.closer == pytest.approx(0.75, abs=0.04)


def test_scipy_gives_the_same_statistic() -> None:
    statistic = mannwhitneyu(nearest_distances(TEST, TRAIN), nearest_distances(FRESH, TRAIN)).statistic
    assert memorisation(FRESH, TRAIN, TEST).closer == pytest.approx(statistic / (300 * 400))


def test_ties_count_half() -> None:
    points = np.array([[0.0, 0], [1, 0]])
    other = np.array([[0.0, 1], [1, 1]])
    assert memorisation(other, points, other).closer == 0.5


def test_sets_that_cannot_show_memorisation_are_refused() -> None:
    with pytest.raises(UserError, match="no test images"):
        memorisation(FRESH, TRAIN, TEST[:0])
    with pytest.raises(UserError, match="are also in the training set"):
        memorisation(FRESH, TRAIN, TRAIN[:50])
