from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics as sk

from synthaug.measures.metrics import (
    accuracy,
    confusion_matrix,
    expected_calibration_error,
    mean_absolute_error,
    pearson,
    spearman,
)
from synthaug.measures.reader_agreement import cohen_kappa

pairs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60)


def columns(rows: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    labels, predictions = np.array(rows).T
    return labels, predictions


@given(rows=pairs)
def test_scikit_learn_agrees(rows: list[tuple[int, int]]) -> None:
    labels, predictions = columns(rows)
    theirs = sk.confusion_matrix(labels, predictions, labels=range(4))
    assert np.array_equal(confusion_matrix(labels, predictions, 4), theirs)
    assert accuracy(labels, predictions) == pytest.approx(sk.accuracy_score(labels, predictions))


def cohens_kappa(first: NDArray[np.int64], second: NDArray[np.int64]) -> float:
    """Of two readers' classes (N,)."""
    return cohen_kappa(confusion_matrix(first, second, 10)).value


@given(rows=pairs)
def test_kappa_is_scikit_learns(rows: list[tuple[int, int]]) -> None:
    first, second = columns(rows)
    if len(np.unique(np.concatenate([first, second]))) < 2:
        assert math.isnan(cohens_kappa(first, second))
    else:
        assert cohens_kappa(first, second) == pytest.approx(sk.cohen_kappa_score(first, second), abs=1e-12)


def test_kappa_by_hand() -> None:
    # 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: p_o = 0.7, p_e = 0.5, kappa = 0.4
    first = np.repeat([1, 1, 0, 0], [20, 5, 10, 15])
    second = np.repeat([1, 0, 1, 0], [20, 5, 10, 15])
    assert cohens_kappa(first, second) == pytest.approx(0.4)


@given(rows=pairs, seed=st.integers(0, 100))
def test_renaming_the_classes_changes_nothing(rows: list[tuple[int, int]], seed: int) -> None:
    labels, predictions = columns(rows)
    names = np.random.default_rng(seed).permutation(4)
    assert accuracy(names[labels], names[predictions]) == accuracy(labels, predictions)
    renamed = confusion_matrix(names[labels], names[predictions], 4)
    assert np.array_equal(renamed[np.ix_(names, names)], confusion_matrix(labels, predictions, 4))


def test_metrics_of_no_images_are_nan() -> None:
    none = np.array([], dtype=np.int64)
    assert math.isnan(accuracy(none, none))
    assert math.isnan(cohens_kappa(none, none))
    assert math.isnan(expected_calibration_error(np.empty((0, 3)), none))


def test_calibration_error_by_hand() -> None:
    probs = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [1.0, 0.0]])
    labels = np.array([0, 1, 1, 0])
    # bin of 0.9: |1/2 - 0.9| of 2; bin of 0.6: |1 - 0.6| of 1; bin of 1.0: 0 of 1
    assert expected_calibration_error(probs, labels, bins=20) == pytest.approx((0.8 + 0.4) / 4)


def test_honest_probabilities_are_calibrated_and_bold_ones_are_not() -> None:
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.ones(3), 20_000)
    labels = (rng.random((20_000, 1)) > probs.cumsum(1)).sum(1)
    assert expected_calibration_error(probs, labels) < 0.02
    bold = probs**4 / (probs**4).sum(1, keepdims=True)
    assert expected_calibration_error(bold, labels) > 0.15


def test_classes_out_of_range_and_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match=r"0\.\.1, not 0\.\.2"):
        confusion_matrix(np.array([0, 1]), np.array([0, 2]), 2)
    with pytest.raises(ValueError, match=r"\(2,\) and \(3,\)"):
        accuracy(np.zeros(2, int), np.zeros(3, int))


def test_regression_measures_are_scipys_and_scikit_learns() -> None:
    from scipy import stats
    from sklearn import metrics as sklearn_metrics

    rng = np.random.default_rng(0)
    truth = rng.integers(80, 120, 50).astype(float)  # with ties
    predicted = truth + rng.normal(0, 8, 50)
    assert pearson(truth, predicted) == pytest.approx(stats.pearsonr(truth, predicted).statistic)
    assert spearman(truth, predicted) == pytest.approx(stats.spearmanr(truth, predicted).statistic)
    expected = sklearn_metrics.mean_absolute_error(truth, predicted)
    assert mean_absolute_error(truth, predicted) == pytest.approx(expected)


def test_correlation_with_a_constant_is_unknown() -> None:
    assert math.isnan(pearson(np.ones(5), np.arange(5.0)))
    assert math.isnan(spearman(np.arange(5.0), np.ones(5)))
    with pytest.raises(ValueError, match="same shape"):
        mean_absolute_error(np.zeros(2), np.zeros(3))
