"""Logistic regression on features, regularised and calibrated by images held out in turn. Arrays in, arrays out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

INVERSE_PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1)
"""scikit-learn's C: the least is best for a few dozen images, the largest for tens of thousands."""
FOLDS = 5
JUDGED = 4000  # images that the choice is made on, at most; more change it no further
NEARLY_CONSTANT = 0.01  # of the mean variance, added to each, so that no rare value is blown up
ABSENT = -20.0  # the logit of a class without images, below that of the least frequent
ITERATIONS = 200


@dataclass(frozen=True, slots=True)
class Head:
    """Logits = features @ weight.T + bias; ``weight`` (K, D), ``bias`` (K,)."""

    weight: NDArray[np.float64]
    bias: NDArray[np.float64]

    def logits(self, features: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """(N, K) of features (N, D)."""
        found: NDArray[np.float64] = features @ self.weight.T + self.bias
        return found


@dataclass(frozen=True, slots=True)
class Judged:
    """What images held out in turn say: the choice, and the log loss and accuracy that it had there."""

    inverse_penalty: float
    temperature: float
    log_loss: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Rows:
    """Different images: features (N, D), labels (N,), and how much each counts (N,)."""

    features: NDArray[np.float64]
    labels: NDArray[np.int64]
    weight: NDArray[np.float64]

    def take(self, chosen: NDArray[Any]) -> Rows:
        """Some of them, by mask or index."""
        return Rows(self.features[chosen], self.labels[chosen], self.weight[chosen])


def judge(rows: Rows, classes: int, seed: int) -> Judged:
    """The regularisation and the temperature of the least log loss on rows held out in turn.

    Too few images for two folds leave the strongest regularisation and nothing known (nan).
    """
    rng = np.random.default_rng(seed)
    if len(rows.labels) > JUDGED:
        rows = rows.take(rng.permutation(len(rows.labels))[:JUDGED])
    folds = min(FOLDS, int(np.bincount(rows.labels).max()), len(rows.labels))
    if folds < 2:
        return Judged(INVERSE_PENALTIES[0], 1.0, float("nan"), float("nan"))
    fold = _dealt(rows.labels, folds, rng)
    best = None
    for inverse_penalty in INVERSE_PENALTIES:
        logits = np.empty((len(fold), classes))
        for held in range(folds):
            inside = fold != held
            head = fit_logistic(rows.take(inside), classes, inverse_penalty)
            logits[~inside] = head.logits(rows.features[~inside])
        temperature, loss = _calibrated(logits, rows)
        if best is None or loss < best.log_loss:
            right = float(np.average(logits.argmax(1) == rows.labels, weights=rows.weight))
            best = Judged(inverse_penalty, temperature, loss, right)
    assert best is not None  # noqa: S101 - there are penalties to try
    return best


def fit_logistic(rows: Rows, classes: int, inverse_penalty: float) -> Head:
    """Multinomial logistic regression, L2-penalised; a class without rows stays improbable."""
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    present = np.unique(rows.labels)
    weight, bias = np.zeros((classes, rows.features.shape[1])), np.full(classes, ABSENT)
    if len(present) == 1:
        bias[present] = 0
        return Head(weight, bias)
    model = LogisticRegression(C=inverse_penalty, max_iter=ITERATIONS, tol=1e-3)
    with threadpool_limits(1):  # products this small are faster on one thread than shared among many
        model.fit(rows.features, rows.labels, sample_weight=rows.weight)
    coefficients, intercepts = model.coef_, model.intercept_
    if len(present) == 2:  # scikit-learn gives the second class's alone
        coefficients, intercepts = (
            np.stack([-each[0] / 2, each[0] / 2]) for each in (coefficients, intercepts)
        )
    weight[present], bias[present] = coefficients, intercepts
    absent = np.setdiff1d(np.arange(classes), present)
    bias[absent] = intercepts.min() + ABSENT
    return Head(weight, bias)


@dataclass(frozen=True, slots=True)
class Scale:
    """Mean and deviation (D,) of the features."""

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    @classmethod
    def of(cls, features: NDArray[np.float64]) -> Scale:
        variance = features.var(0)
        return cls(features.mean(0), np.sqrt(np.maximum(variance + NEARLY_CONSTANT * variance.mean(), 1e-12)))

    def apply(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        return (features - self.mean) / self.deviation

    def undo(self, head: Head) -> Head:
        """The head that says of features as they are what ``head`` says of standardised ones."""
        weight = head.weight / self.deviation
        return Head(weight, head.bias - weight @ self.mean)


def _calibrated(logits: NDArray[np.float64], rows: Rows) -> tuple[float, float]:
    """The temperature of the least log loss, and that loss."""
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    def loss(log_temperature: float) -> float:
        said = log_softmax(logits / np.exp(log_temperature), axis=1)
        return float(-np.average(said[np.arange(len(said)), rows.labels], weights=rows.weight))

    found = minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded")
    return float(np.exp(found.x)), float(found.fun)


def _dealt(labels: NDArray[np.int64], folds: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """The fold (N,) of each row; those of a class are dealt out one by one, in random order."""
    order = rng.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    fold = np.empty(len(labels), np.int64)
    fold[order] = np.arange(len(labels)) % folds
    return fold


def distinct(features: NDArray[Any], labels: NDArray[Any], weight: NDArray[np.float64]) -> Rows:
    """Copies of a row made one that counts as much: an oversampled image does not judge itself."""
    known: dict[bytes, int] = {}
    keys = (
        row.tobytes() + int(label).to_bytes(4, "big") for row, label in zip(features, labels, strict=True)
    )
    place = np.array([known.setdefault(key, len(known)) for key in keys])
    first = np.unique(place, return_index=True)[1]
    summed = np.bincount(place, weight).astype(np.float64)
    counting = summed > 0
    return Rows(features[first].astype(np.float64), labels[first].astype(np.int64), summed).take(counting)


def log_prior(labels: NDArray[Any], weight: NDArray[np.float64], classes: int) -> NDArray[np.float64]:
    """Log of each class's share (K,); a class without images is left as it is."""
    totals = np.bincount(labels, weight, classes)
    prior = np.zeros(classes)
    prior[totals > 0] = np.log(totals[totals > 0] / totals.sum())
    return prior
