"""Confident learning and its cross-fitted head, against cleanlab, scikit-learn and planted errors."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from synthaug.measures.label_errors import class_thresholds, label_errors, label_quality
from synthaug.measures.linear_head import cross_fitted_probabilities, stratified_folds


def planted(seed: int) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Digits (N, 64), their true classes, and labels of which one in twenty is another class."""
    digits = load_digits()
    rng = np.random.default_rng(seed)
    labels = digits.target.copy()
    wrong = rng.choice(len(labels), len(labels) // 20, replace=False)
    labels[wrong] = (labels[wrong] + rng.integers(1, 10, len(wrong))) % 10
    return digits.data, digits.target, labels


def test_label_errors_calculated_by_hand() -> None:
    labels = np.array([0, 0, 1, 1])
    probs = np.array([[0.9, 0.1], [0.2, 0.8], [0.1, 0.9], [0.4, 0.6]])
    assert class_thresholds(labels, probs).tolist() == pytest.approx([0.55, 0.75])
    assert label_errors(labels, probs).tolist() == [False, True, False, False]
    assert label_quality(labels, probs).tolist() == pytest.approx([0.9, 0.2, 0.9, 0.6])


def test_planted_errors_are_found() -> None:
    features, truth, labels = planted(0)
    probs = cross_fitted_probabilities(features, labels, 10)
    found, wrong = label_errors(labels, probs), labels != truth
    assert (found & wrong).sum() / wrong.sum() > 0.65  # recall
    assert (found & wrong).sum() / found.sum() > 0.9  # precision
    worst = np.argsort(label_quality(labels, probs))[: wrong.sum() // 2]
    assert wrong[worst].mean() > 0.9


@pytest.mark.parametrize("seed", range(3))
def test_the_same_rows_as_cleanlab(seed: int) -> None:
    cleanlab_filter = pytest.importorskip("cleanlab.filter")
    rank = pytest.importorskip("cleanlab.rank")
    features, _, labels = planted(seed)
    probs = cross_fitted_probabilities(features, labels, 10, seed=seed)
    expected = cleanlab_filter.find_label_issues(labels, probs, filter_by="confident_learning", n_jobs=1)
    # Where several classes are confident, cleanlab takes the most probable class of all, the paper that of these.
    confident = probs >= class_thresholds(labels, probs)
    same = confident[np.arange(len(probs)), probs.argmax(1)] | (confident.sum(1) < 2)
    assert same.mean() > 0.99
    assert np.array_equal(label_errors(labels, probs)[same], np.asarray(expected)[same])
    quality = rank.get_label_quality_scores(labels, probs, method="normalized_margin")
    np.testing.assert_allclose(label_quality(labels, probs), quality, atol=1e-6)


def test_the_head_is_about_as_good_as_scikit_learns() -> None:
    features, truth, _ = planted(0)
    fold = stratified_folds(truth, 5, seed=0)
    ours = cross_fitted_probabilities(features, truth, 10).argmax(1)
    theirs = np.empty_like(truth)
    for held in range(5):
        head = LogisticRegression(max_iter=500, C=0.1).fit(features[fold != held] / 16, truth[fold != held])
        theirs[fold == held] = head.predict(features[fold == held] / 16)
    assert (ours == truth).mean() > (theirs == truth).mean() - 0.01


def test_no_row_is_predicted_by_a_head_that_was_fitted_to_it() -> None:
    """Labels that are pure noise are predicted at chance; a head that saw its rows would do far better."""
    rng = np.random.default_rng(1)
    features, labels = rng.normal(size=(200, 150)), rng.integers(0, 2, 200)
    probs = cross_fitted_probabilities(features, labels, 2)
    assert 0.35 < (probs.argmax(1) == labels).mean() < 0.65
    np.testing.assert_allclose(probs.sum(1), 1, atol=1e-5)


def test_folds_share_every_class_evenly() -> None:
    labels = np.array([0] * 50 + [1] * 7 + [2] * 5)
    fold = stratified_folds(labels, 5, seed=3)
    for index in range(3):
        counts = np.bincount(fold[labels == index], minlength=5)
        assert counts.max() - counts.min() <= 1


def test_too_few_rows_and_invalid_labels_are_refused() -> None:
    with pytest.raises(ValueError, match="5 folds need"):
        cross_fitted_probabilities(np.zeros((3, 2)), np.zeros(3, int), 2)
    with pytest.raises(ValueError, match=r"0\.\.1, not 0\.\.4"):
        cross_fitted_probabilities(np.zeros((5, 2)), np.array([0, 1, 4, 1, 1]), 2)
