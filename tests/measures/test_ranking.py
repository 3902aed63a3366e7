from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax
from sklearn.metrics import roc_auc_score

from synthaug.measures.ranking import one_vs_rest_auc, prior_bias, prior_matched

CLASSES = 5
EVEN = np.full(CLASSES, 1 / CLASSES)
Array = NDArray[np.float64]


def scores(shift: float = 0.0, images: int = 2000) -> tuple[Array, NDArray[np.int64]]:
    """Log probabilities of a classifier that knows something, and shies away from class 3 by ``shift``."""
    rng = np.random.default_rng(1)
    labels = np.arange(images) % CLASSES
    logits = rng.normal(0, 1, (images, CLASSES))
    logits[np.arange(images), labels] += 2
    logits[:, 3] -= shift
    return log_softmax(logits, axis=1), labels


def test_auc_is_scikit_learns_ties_and_all() -> None:
    log_probs, labels = scores()
    for each in (log_probs, np.round(log_probs)):
        theirs = [roc_auc_score(labels == k, each[:, k]) for k in range(CLASSES)]
        np.testing.assert_allclose(one_vs_rest_auc(each, labels), theirs)
    whole = roc_auc_score(labels, np.exp(log_probs), multi_class="ovr", average="macro")
    assert one_vs_rest_auc(log_probs, labels).mean() == pytest.approx(whole)


def test_auc_by_hand_and_where_there_is_none() -> None:
    log_probs = np.array([[-1.0, 0, 0], [-2.0, 0, 0], [-1.5, 0, 0], [-3.0, 0, 0]])
    found = one_vs_rest_auc(log_probs, np.array([0, 0, 1, 1]))
    assert found[0] == 0.75  # three of four pairs are in order
    assert found[1] == 0.5  # all tied
    assert np.isnan(found[2])  # no image of that class


def test_the_bias_gives_every_class_its_prior() -> None:
    log_probs, _ = scores(4.0)
    prior = np.array([0.1, 0.2, 0.3, 0.4, 0.0])
    bias = prior_bias(log_probs, prior)
    np.testing.assert_allclose(softmax(log_probs + bias, axis=1).mean(0), prior, atol=1e-5)
    assert bias[4] == -np.inf
    with pytest.raises(ValueError, match="sum to 1"):
        prior_bias(log_probs, prior * 2)


def test_a_shifted_prior_is_no_knowledge() -> None:
    """What a constant does to one class's scores, the matched prediction undoes; what was learnt it leaves."""
    (fair, labels), (shy, _) = scores(), scores(4.0)
    assert (shy.argmax(1) == labels).mean() < (fair.argmax(1) == labels).mean() - 0.1
    np.testing.assert_array_equal(prior_matched(shy, EVEN), prior_matched(fair, EVEN))
    assert (prior_matched(fair, EVEN) == labels).mean() == pytest.approx(
        (fair.argmax(1) == labels).mean(), abs=0.01
    )


def test_no_image_influences_its_own_bias() -> None:
    log_probs, _ = scores(4.0, 400)
    before = prior_matched(log_probs, EVEN)
    second = np.random.default_rng(0).permutation(len(log_probs)) % 2 == 1
    changed = log_probs.copy()
    changed[second] = changed[second][:, ::-1]  # another bias for the first half, and only for it
    assert (prior_matched(changed, EVEN)[~second] != before[~second]).any()
    np.testing.assert_array_equal(
        prior_matched(changed, EVEN)[second],
        (changed[second] + prior_bias(log_probs[~second], EVEN)).argmax(1),
    )


def test_a_single_image_keeps_its_prediction() -> None:
    assert prior_matched(np.log([[0.2, 0.5, 0.3]]), np.full(3, 1 / 3)).tolist() == [1]
