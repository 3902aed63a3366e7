from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import percentileofscore
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize

from synthaug.errors import UserError
from synthaug.measures.quality import out_of_distribution, percentile_rank, read_ood

RNG = np.random.default_rng(0)


def around_a_direction(count: int) -> np.ndarray:
    """Rows (count, 8) that point roughly one way, as features after a rectifier do."""
    return (RNG.normal(size=(count, 8)) * 0.3 + 1).astype(np.float32)


REAL = around_a_direction(400)


def test_percentile_rank_is_scipys() -> None:
    reference = RNG.integers(0, 10, 50).astype(float)
    values = np.arange(-1.0, 12)
    expected = percentileofscore(reference, values, kind="mean") / 100
    np.testing.assert_allclose(percentile_rank(values, reference), expected)


def test_rank_is_taken_among_the_leave_one_out_distances_of_the_reference() -> None:
    samples = RNG.normal(size=(30, 8)).astype(np.float32) * 1.5
    finder = NearestNeighbors(n_neighbors=5).fit(normalize(REAL))
    usual, found = finder.kneighbors()[0][:, -1], finder.kneighbors(normalize(samples))[0][:, -1]
    expected = percentileofscore(usual, found, kind="mean") / 100
    np.testing.assert_allclose(out_of_distribution(samples, REAL), expected, atol=1 / 400)


def test_fresh_draws_rank_evenly_and_strangers_at_the_top() -> None:
    fresh = around_a_direction(2000)
    scores = out_of_distribution(fresh, REAL)
    assert 0.4 < np.median(scores) < 0.6
    assert 0.02 < np.mean(scores > 0.95) < 0.08
    assert (out_of_distribution(-fresh, REAL) == 1).all()


def test_only_the_direction_counts() -> None:
    some = around_a_direction(50)
    np.testing.assert_allclose(out_of_distribution(some * 0.01, REAL * 7), out_of_distribution(some, REAL))
    assert out_of_distribution(np.zeros((1, 8)), REAL).tolist() == [1.0]


def test_the_reference_itself_ranks_evenly() -> None:
    scores = out_of_distribution(None, REAL)
    np.testing.assert_allclose(np.sort(scores), (np.arange(400) + 0.5) / 400, atol=2 / 400)


def test_few_references_lower_k() -> None:
    two = np.array([[1.0, 0.0], [1.0, 0.1]])
    assert out_of_distribution(np.array([[0.0, 9.0]]), two).tolist() == [1.0]
    assert out_of_distribution(np.empty((0, 2)), two).shape == (0,)
    with pytest.raises(UserError, match="a reference of at least 2 synthetic images, not 1"):
        out_of_distribution(None, np.zeros((1, 4)), kind="synthetic")


def test_the_four_readings_at_their_thresholds() -> None:
    real, other = (
        np.array([0.95, 0.94, 0.95, 0.94, 1.0, 0.0]),
        np.array([0.75, 0.75, 0.74, 0.74, np.nan, np.nan]),
    )
    assert read_ood(real, other) == ["artefact", "coverage", "redundant", "typical", "artefact", "typical"]


def test_reading_of_an_artefact_a_new_place_and_one_more_of_the_same() -> None:
    crowd = REAL[:1] + RNG.normal(size=(100, 8)) * 0.02  # beside a real image, close together
    lonely = REAL[1:2] + 0.01  # beside another real image, alone
    artefact = np.array([[-1.0, 1, 1, 1, -1, 1, 1, 1]])
    synthetic = np.concatenate([crowd, lonely, artefact])
    readings = read_ood(out_of_distribution(synthetic, REAL), out_of_distribution(None, synthetic))
    assert readings[-2:] == ["coverage", "artefact"]
    assert readings[:100].count("typical") > 70
    assert "artefact" not in readings[:100]
