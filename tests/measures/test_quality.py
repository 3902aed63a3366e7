from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import percentileofscore
from sklearn.neighbors import NearestNeighbors

from synthaug.errors import UserError
from synthaug.measures.quality import out_of_distribution, percentile_rank, read_ood

RNG = np.random.default_rng(0)
REAL = RNG.normal(size=(400, 8)).astype(np.float32)


def test_percentile_rank_is_scipys() -> None:
    reference = RNG.integers(0, 10, 50).astype(float)
    values = np.arange(-1.0, 12)
    expected = percentileofscore(reference, values, kind="mean") / 100
    np.testing.assert_allclose(percentile_rank(values, reference), expected)


def test_rank_is_taken_among_the_leave_one_out_distances_of_the_reference() -> None:
    samples = RNG.normal(size=(30, 8)).astype(np.float32) * 1.5
    finder = NearestNeighbors(n_neighbors=5).fit(REAL)
    usual, found = finder.kneighbors()[0][:, -1], finder.kneighbors(samples)[0][:, -1]
    expected = percentileofscore(usual, found, kind="mean") / 100
    np.testing.assert_allclose(out_of_distribution(samples, REAL), expected, atol=1 / 400)


def test_fresh_draws_rank_evenly_and_strangers_at_the_top() -> None:
    fresh = RNG.normal(size=(2000, 8)).astype(np.float32)
    scores = out_of_distribution(fresh, REAL)
    assert 0.4 < np.median(scores) < 0.6
    assert 0.02 < np.mean(scores > 0.95) < 0.08
    assert (out_of_distribution(fresh + 20, REAL) == 1).all()


def test_the_reference_itself_ranks_evenly() -> None:
    scores = out_of_distribution(None, REAL)
    np.testing.assert_allclose(np.sort(scores), (np.arange(400) + 0.5) / 400, atol=2 / 400)


def test_few_references_lower_k() -> None:
    assert out_of_distribution(np.array([[9.0]]), np.array([[0.0], [1.0]])).tolist() == [1.0]
    assert out_of_distribution(np.empty((0, 1)), np.array([[0.0], [1.0]])).shape == (0,)
    with pytest.raises(UserError, match="at least 2 synthetic images as reference, not 1"):
        out_of_distribution(None, np.zeros((1, 4)), kind="synthetic")


def test_reading_of_an_artefact_a_new_place_and_one_more_of_the_same() -> None:
    crowd = RNG.normal(size=(100, 8)) * 0.1  # in the middle of the real images, close together
    lonely = REAL[np.argsort(np.linalg.norm(REAL, axis=1))[200]][None] + 0.01  # beside a real image, alone
    artefact = np.full((1, 8), 30.0)
    synthetic = np.concatenate([crowd, lonely, artefact])
    readings = read_ood(out_of_distribution(synthetic, REAL), out_of_distribution(None, synthetic))
    assert readings[-2:] == ["coverage", "artefact"]
    assert readings[:100].count("typical") > 70
    assert "artefact" not in readings[:100]
