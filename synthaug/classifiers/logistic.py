"""Logistic regression on features, regularised and calibrated by cross-validation: from arrays to arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

INVERSE_PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1)
"""Values of scikit-learn's C to try; the smallest suits a few dozen images, the largest tens of thousands."""
FOLDS = 5
JUDGED = 4000  # largest number of images on which C is chosen; more do not change the choice
NEARLY_CONSTANT = (
    0.01  # share of the mean variance added to every variance, so that rare values are not magnified
)
ABSENT = -20.0  # logit of a class without images, relative to the lowest intercept of the others
ITERATIONS = 200


@dataclass(frozen=True, slots=True)
class Head:
    """A linear layer: logits = features @ weight.T + bias, with ``weight`` (K, D) and ``bias`` (K,)."""

    weight: NDArray[np.float64]
    bias: NDArray[np.float64]

    def logits(self, features: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Logits (N, K) of features (N, D)."""
        found: NDArray[np.float64] = features @ self.weight.T + self.bias
        return found


@dataclass(frozen=True, slots=True)
class Judged:
    """The settings that cross-validation chose, and their log loss (nats) and accuracy (0..1) on held-out rows."""

    inverse_penalty: float  # scikit-learn's C
    temperature: float
    log_loss: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Rows:
    """Distinct images: features (N, D), labels (N,), weights (N,), and which of them are real (N,)."""

    features: NDArray[np.float64]
    labels: NDArray[np.int64]
    weight: NDArray[np.float64]
    real: NDArray[np.bool_]

    def take(self, chosen: NDArray[Any]) -> Rows:
        """The rows that a mask (N,) or indices choose."""
        return Rows(self.features[chosen], self.labels[chosen], self.weight[chosen], self.real[chosen])


def judge(rows: Rows, classes: int, seed: int) -> Judged:
    """The regularisation and the temperature with the lowest log loss on held-out real rows in cross-validation.

    Synthetic rows are only trained on, unless there are no others: they are easier to classify than real ones, which
    would favour a regularisation that is too weak for these. With too few images for two folds it is the strongest
    regularisation, with a log loss and an accuracy of NaN.
    """
    rng = np.random.default_rng(seed)
    if len(rows.labels) > JUDGED:
        rows = rows.take(rng.permutation(len(rows.labels))[:JUDGED])
    folds = min(FOLDS, int(np.bincount(rows.labels).max()), len(rows.labels))
    if folds < 2:
        return Judged(INVERSE_PENALTIES[0], 1.0, float("nan"), float("nan"))
    fold = _folds(rows.labels, folds, rng)
    scored = rows.real if rows.real.any() else ~rows.real
    truth = rows.take(scored)
    best = None
    for inverse_penalty in INVERSE_PENALTIES:
        logits = np.empty((len(fold), classes))
        for held in range(folds):
            inside = fold != held
            head = fit_logistic(rows.take(inside), classes, inverse_penalty)
            logits[~inside] = head.logits(rows.features[~inside])
        temperature, loss = _calibrated(logits[scored], truth)
        if best is None or loss < best.log_loss:
            right = float(np.average(logits[scored].argmax(1) == truth.labels, weights=truth.weight))
            best = Judged(inverse_penalty, temperature, loss, right)
    assert best is not None  # noqa: S101 (INVERSE_PENALTIES is not empty)
    return best


def fit_logistic(rows: Rows, classes: int, inverse_penalty: float) -> Head:
    """Multinomial logistic regression with an L2 penalty; a class without rows gets a very low logit."""
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    present = np.unique(rows.labels)
    weight, bias = np.zeros((classes, rows.features.shape[1])), np.full(classes, ABSENT)
    if len(present) == 1:
        bias[present] = 0
        return Head(weight, bias)
    model = LogisticRegression(C=inverse_penalty, max_iter=ITERATIONS, tol=1e-3)
    with threadpool_limits(1):  # such small matrix products are faster on one thread
        model.fit(rows.features, rows.labels, sample_weight=rows.weight)
    coefficients, intercepts = model.coef_, model.intercept_
    if len(present) == 2:  # scikit-learn returns only the coefficients of the second class
        coefficients, intercepts = (
            np.stack([-each[0] / 2, each[0] / 2]) for each in (coefficients, intercepts)
        )
    weight[present], bias[present] = coefficients, intercepts
    absent = np.setdiff1d(np.arange(classes), present)
    bias[absent] = intercepts.min() + ABSENT
    return Head(weight, bias)


@dataclass(frozen=True, slots=True)
class Scale:
    """Mean and standard deviation (D,) of the features."""

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    @classmethod
    def of(cls, features: NDArray[np.float64]) -> Scale:
        """The scale of features (N, D)."""
        variance = features.var(0)
        return cls(features.mean(0), np.sqrt(np.maximum(variance + NEARLY_CONSTANT * variance.mean(), 1e-12)))

    def apply(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """The features (N, D), standardised."""
        return (features - self.mean) / self.deviation

    def undo(self, head: Head) -> Head:
        """The head that gives the same logits for raw features as ``head`` gives for standardised ones."""
        weight = head.weight / self.deviation
        return Head(weight, head.bias - weight @ self.mean)


def _calibrated(logits: NDArray[np.float64], rows: Rows) -> tuple[float, float]:
    """The temperature with the lowest log loss, and that log loss in nats."""
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    def loss(log_temperature: float) -> float:
        log_probs = log_softmax(logits / np.exp(log_temperature), axis=1)
        return float(-np.average(log_probs[np.arange(len(log_probs)), rows.labels], weights=rows.weight))

    found = minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded")
    return float(np.exp(found.x)), float(found.fun)


def _folds(labels: NDArray[np.int64], folds: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """The fold (N,) of each row, stratified: the rows of each class are dealt to the folds in turn, in random order."""
    order = rng.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    fold = np.empty(len(labels), np.int64)
    fold[order] = np.arange(len(labels)) % folds
    return fold


def distinct(
    features: NDArray[Any], labels: NDArray[Any], weight: NDArray[np.float64], real: NDArray[np.bool_]
) -> Rows:
    """The rows with copies merged and their weights summed, so that an oversampled image is not judged by its copy."""
    known: dict[bytes, int] = {}
    keys = (
        row.tobytes() + int(label).to_bytes(4, "big") for row, label in zip(features, labels, strict=True)
    )
    place = np.array([known.setdefault(key, len(known)) for key in keys])
    first = np.unique(place, return_index=True)[1]
    summed = np.bincount(place, weight).astype(np.float64)
    counting = summed > 0
    rows = Rows(features[first].astype(np.float64), labels[first].astype(np.int64), summed, real[first])
    return rows.take(counting)


def log_prior(labels: NDArray[Any], weight: NDArray[np.float64], classes: int) -> NDArray[np.float64]:
    """The logarithm of each class's share (K,); 0 for a class without images."""
    totals = np.bincount(labels, weight, classes)
    prior = np.zeros(classes)
    prior[totals > 0] = np.log(totals[totals > 0] / totals.sum())
    return prior
