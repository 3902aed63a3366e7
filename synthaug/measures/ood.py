"""Ways to say how far an image lies from a reference set, each as a rank among the reference itself.

Nearest neighbours and Mahalanobis distance find strangers in every kind of features that was tried; energy and
max-softmax only those between two classes, and in features of a network that never saw the classes they are near
chance (``benchmarks/ood.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from synthaug.errors import UnknownName, UserError
from synthaug.measures.linear_head import head_logits, softmax, stratified_folds
from synthaug.measures.neighbors import Features
from synthaug.measures.quality import Scores, out_of_distribution, percentile_rank, unit_length

Method = Literal["knn", "mahalanobis", "energy", "max-softmax"]
Labels = NDArray[np.integer[Any]]
METHODS: tuple[Method, ...] = get_args(Method)

FOLDS = 5
SHRINKAGE = 0.1  # of the covariance towards a multiple of the identity, for fewer images than features


Distances = Callable[[Features, Labels, Features], Scores]
"""Fits to a reference with labels and measures the asked rows: higher = farther."""


def ranked(
    method: str, features: Features | None, reference: Features, labels: Labels | None, *, kind: str = "real"
) -> Scores:
    """How far each row lies from ``reference`` (M, D) by a method, in 0..1; higher = farther out. Shape (N,).

    The rank among the reference's own distances, as :func:`synthaug.measures.quality.out_of_distribution` gives it
    (that is the method "knn"). The others use ``labels`` (M,), the classes of the reference: they are fitted in
    folds, a reference row is measured by the fit without it, an asked row by the mean of all fits. Without
    ``features`` the reference rows are scored. Raises UnknownName, UserError.
    """
    if method not in METHODS:
        raise UnknownName("out-of-distribution method", method, METHODS)
    if method == "knn":
        return out_of_distribution(features, reference, kind=kind)
    if labels is None or len(np.unique(labels)) < 2 or len(labels) < 2 * FOLDS:
        raise UserError(
            f"the method {method!r} needs two classes and {2 * FOLDS} labeled {kind} images as reference; "
            "'knn' needs no labels"
        )
    usual, asked = _cross_fitted(DISTANCES[method], unit_length(reference), labels, features)
    return percentile_rank(usual if asked is None else asked, usual)


def mahalanobis(reference: Features, labels: Labels, asked: Features) -> Scores:
    """Squared Mahalanobis distance (N,) to the nearest class mean, one covariance for all classes (Lee et al. 2018)."""
    classes, index = np.unique(labels, return_inverse=True)
    means = np.stack([reference[index == each].mean(0) for each in range(len(classes))]).astype(np.float64)
    spread = np.asarray(reference, np.float64) - means[index]
    covariance = spread.T @ spread / len(reference)
    level = float(np.trace(covariance)) / len(covariance) or 1.0
    covariance = (1 - SHRINKAGE) * covariance + SHRINKAGE * level * np.eye(len(covariance))
    factor = np.linalg.inv(np.linalg.cholesky(covariance))
    whitened, centres = np.asarray(asked, np.float64) @ factor.T, means @ factor.T
    squared = (whitened**2).sum(1)[:, None] - 2 * whitened @ centres.T + (centres**2).sum(1)
    distances: Scores = squared.min(1)
    return distances


def energy(reference: Features, labels: Labels, asked: Features) -> Scores:
    """-log sum_k exp(logit_k) (N,) of a linear head on the features (Liu et al. 2020)."""
    logits = _logits(reference, labels, asked).astype(np.float64)
    top = logits.max(1)
    scores: Scores = -(top + np.log(np.exp(logits - top[:, None]).sum(1)))
    return scores


def max_softmax(reference: Features, labels: Labels, asked: Features) -> Scores:
    """1 - the largest probability (N,) of a linear head on the features (Hendrycks & Gimpel 2017)."""
    scores: Scores = 1 - softmax(_logits(reference, labels, asked)).max(1).astype(np.float64)
    return scores


DISTANCES: dict[str, Distances] = {
    "mahalanobis": mahalanobis,
    "energy": energy,
    "max-softmax": max_softmax,
}


def _logits(reference: Features, labels: Labels, asked: Features) -> NDArray[np.float32]:
    classes, index = np.unique(labels, return_inverse=True)
    return head_logits(reference, index, asked, len(classes))


def _cross_fitted(
    distances: Distances, reference: Features, labels: Labels, features: Features | None
) -> tuple[Scores, Scores | None]:
    """Distances of the reference rows, each by a fit without it, and of the asked rows by the mean of the fits."""
    fold = stratified_folds(labels, FOLDS, seed=0)
    asked = np.zeros((0, reference.shape[1]), np.float32) if features is None else unit_length(features)
    usual, mean = np.empty(len(reference)), np.zeros(len(asked))
    for held in range(FOLDS):
        inside = fold != held
        both = np.concatenate([reference[~inside], asked])
        found = distances(reference[inside], labels[inside], both)
        usual[~inside] = found[: (~inside).sum()]
        mean += found[(~inside).sum() :] / FOLDS
    return usual, None if features is None else mean
