"""What a classifier knows of each class, apart from how often it names it.

Scores are log probabilities (N, K); labels (N,) are class numbers 0 .. K-1. Adding images of a class makes a
classifier name it more often, and accuracy may rise by that alone. Ranking does not notice: AUC. Nor does accuracy
once every class is named as often as it is there: ``prior_matched``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.integer[Any]]
LogProbs = NDArray[np.floating[Any]]


def one_vs_rest_auc(log_probs: LogProbs, labels: Labels) -> Floats:
    """Area under the ROC curve of each class against all others (K,), 0..1; higher = better, 0.5 = knows nothing.

    By ranks, ties counted half (Mann and Whitney 1947). NaN for a class that all or none of the images are of.
    """
    from scipy.stats import rankdata

    own = labels[:, None] == np.arange(log_probs.shape[1])
    ranks = rankdata(np.asarray(log_probs, np.float64), axis=0)
    positive = own.sum(0)
    pairs = positive * (len(labels) - positive)
    above = (ranks * own).sum(0) - positive * (positive + 1) / 2
    areas = np.full(len(positive), np.nan)
    np.divide(above, pairs, out=areas, where=pairs > 0)
    return areas


def prior_bias(log_probs: LogProbs, prior: Floats) -> Floats:
    """The bias (K,) that, added to the scores, makes the mean predicted probability of each class its ``prior``.

    It minimises the convex mean of log(sum exp(score + bias)) - prior . bias, whose gradient is the difference of
    the two. No labels are used. A class of prior 0 gets -inf; over the others the mean is 0.
    """
    from scipy.optimize import minimize
    from scipy.special import logsumexp

    if prior.shape != log_probs.shape[1:] or prior.min() < 0 or not np.isclose(prior.sum(), 1):
        raise ValueError(f"the prior must be {log_probs.shape[1]} shares that sum to 1, not {prior}")
    there = prior > 0
    scores, wanted = np.asarray(log_probs, np.float64)[:, there], prior[there]

    def excess(bias: Floats) -> tuple[float, Floats]:
        shifted = scores + bias
        total = logsumexp(shifted, axis=1, keepdims=True)
        return float(total.mean() - wanted @ bias), np.exp(shifted - total).mean(0) - wanted

    found = minimize(excess, np.zeros(len(wanted)), jac=True, method="BFGS", options={"gtol": 1e-6}).x
    bias = np.full(len(prior), -np.inf)
    bias[there] = found - found.mean()
    return bias


def prior_matched(log_probs: LogProbs, prior: Floats, *, seed: int = 0) -> NDArray[np.int64]:
    """Predictions (N,) after a bias that makes each class as probable as its ``prior``.

    The images are parted in two halves at random, and the bias of each is found on the scores of the other, so that
    no image has a say in its own; no label has in any.
    """
    second = np.random.default_rng(seed).permutation(len(log_probs)) % 2 == 1
    predicted = np.zeros(len(log_probs), np.int64)
    if not second.any():
        return np.asarray(log_probs.argmax(1), np.int64)
    for half in (second, ~second):
        predicted[half] = (log_probs[half] + prior_bias(log_probs[~half], prior)).argmax(1)
    return predicted
