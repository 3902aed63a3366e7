"""The methods of out-of-distribution scores: against scikit-learn, scipy and a known answer."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import logsumexp
from sklearn.covariance import EmpiricalCovariance
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score

from synthaug.errors import UnknownName, UserError
from synthaug.measures.linear_head import head_logits
from synthaug.measures.ood import METHODS, energy, mahalanobis, max_softmax, ranked
from synthaug.measures.quality import out_of_distribution

RNG = np.random.default_rng(2)


def blobs(count: int, classes: int = 3, dimension: int = 6) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Rows (count, dimension) around one axis a class, and their classes."""
    labels = np.arange(count) % classes
    return np.eye(dimension)[labels] * 4 + RNG.normal(size=(count, dimension)) * 0.5, labels


@pytest.mark.parametrize("method", METHODS)
def test_strangers_rank_above_fresh_images_of_the_same_kind(method: str) -> None:
    digits = load_digits()
    known = digits.target < 6
    data, labels = digits.data[known], digits.target[known]
    reference, fresh = data[:800], data[800:]
    noise = RNG.uniform(0, 16, (200, 64))
    truth = np.repeat([0, 1], [len(fresh), len(noise)])
    scores = ranked(method, np.concatenate([fresh, noise]), reference, labels[:800])
    assert ((scores >= 0) & (scores <= 1)).all()
    assert roc_auc_score(truth, scores) > (0.99 if method in ("knn", "mahalanobis") else 0.8)


@pytest.mark.parametrize("method", METHODS)
def test_fresh_images_spread_over_all_ranks(method: str) -> None:
    reference, labels = blobs(600)
    fresh, _ = blobs(600)
    scores = ranked(method, fresh, reference, labels)
    assert np.mean(scores) == pytest.approx(0.5, abs=0.06)
    assert np.quantile(scores, 0.9) == pytest.approx(0.9, abs=0.06)


def test_the_reference_ranks_itself_evenly() -> None:
    reference, labels = blobs(300)
    for method in METHODS:
        assert np.mean(ranked(method, None, reference, labels)) == pytest.approx(0.5, abs=1e-6)


def test_mahalanobis_as_scikit_learn_measures_it() -> None:
    reference, labels = blobs(3000)
    asked = RNG.normal(size=(50, 6)) * 3
    means = np.stack([reference[labels == each].mean(0) for each in range(3)])
    shared = EmpiricalCovariance(assume_centered=True).fit(reference - means[labels])
    expected = np.min([shared.mahalanobis(asked - mean) for mean in means], axis=0)
    found = mahalanobis(reference, labels, asked)
    assert np.corrcoef(found, expected)[0, 1] > 0.99  # the covariance is shrunk a little
    assert np.median(found / expected) == pytest.approx(1, abs=0.15)


def test_energy_and_max_softmax_are_those_of_the_heads_logits() -> None:
    reference, labels = blobs(300)
    asked, _ = blobs(30)
    logits = head_logits(reference, labels, asked, 3)
    np.testing.assert_allclose(energy(reference, labels, asked), -logsumexp(logits, axis=1), rtol=1e-4)
    probs = np.exp(logits - logsumexp(logits, axis=1, keepdims=True))
    np.testing.assert_allclose(max_softmax(reference, labels, asked), 1 - probs.max(1), atol=1e-5)


def test_knn_is_the_measure_of_quality() -> None:
    reference, labels = blobs(100)
    asked, _ = blobs(20)
    assert np.array_equal(ranked("knn", asked, reference, labels), out_of_distribution(asked, reference))


def test_references_that_are_too_small_are_refused() -> None:
    reference, labels = blobs(100)
    with pytest.raises(UnknownName, match="out-of-distribution method"):
        ranked("magic", None, reference, labels)
    with pytest.raises(UserError, match="at least 10 labeled real images"):
        ranked("energy", None, reference, np.zeros(100, int))
    with pytest.raises(UserError, match="'knn' needs no labels"):
        ranked("mahalanobis", None, reference, None)
