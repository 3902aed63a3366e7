"""How well a classifier separates each class, regardless of how often it predicts that class.

Scores are log probabilities (N, K); labels (N,) are class indices 0 .. K-1. Adding images of a class makes a
classifier predict it more often, which alone may raise the accuracy. Two measures are not affected: the AUC, which
depends only on the ranking, and the accuracy after every class is predicted as often as it occurs
(``prior_matched``).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.integer[Any]]
LogProbs = NDArray[np.floating[Any]]


def one_vs_rest_auc(log_probs: LogProbs, labels: Labels) -> Floats:
    """Area under the ROC curve of each class against all others (K,), in 0..1; higher = better, 0.5 = chance.

    Computed from ranks, ties counted half (Mann and Whitney 1947). NaN for a class that no image or every image
    belongs to.
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
    """The bias (K,) to add to the scores so that the mean predicted probability of each class equals its ``prior``.

    It minimises the convex function mean(log(sum exp(score + bias))) - prior . bias, whose gradient is the difference
    between predicted and prior probabilities. No labels are used. A class with a prior of 0 gets -inf; the mean bias
    of the others is 0. Raises ValueError for a prior that is not K shares with a sum of 1.
    """
    from scipy.optimize import minimize
    from scipy.special import logsumexp

    if prior.shape != log_probs.shape[1:] or prior.min() < 0 or not np.isclose(prior.sum(), 1):
        raise ValueError(f"the prior must be {log_probs.shape[1]} shares that sum to 1, not {prior}")
    present = prior > 0
    scores, shares = np.asarray(log_probs, np.float64)[:, present], prior[present]

    def objective(bias: Floats) -> tuple[float, Floats]:
        shifted = scores + bias
        total = logsumexp(shifted, axis=1, keepdims=True)
        return float(total.mean() - shares @ bias), np.exp(shifted - total).mean(0) - shares

    minimum = minimize(objective, np.zeros(len(shares)), jac=True, method="BFGS", options={"gtol": 1e-6}).x
    bias = np.full(len(prior), -np.inf)
    bias[present] = minimum - minimum.mean()
    return bias


def prior_matched(log_probs: LogProbs, prior: Floats, *, seed: int = 0) -> NDArray[np.int64]:
    """Predicted classes (N,) after adding the bias that matches the predicted class probabilities to ``prior``.

    The images are split into two random halves, and the bias for each half is fitted to the scores of the other, so
    that no image influences its own prediction. No labels are used.
    """
    second = np.random.default_rng(seed).permutation(len(log_probs)) % 2 == 1
    predicted = np.zeros(len(log_probs), np.int64)
    if not second.any():
        return np.asarray(log_probs.argmax(1), np.int64)
    for half in (second, ~second):
        predicted[half] = (log_probs[half] + prior_bias(log_probs[~half], prior)).argmax(1)
    return predicted
