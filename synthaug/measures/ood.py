"""Methods that measure how far an image lies from a reference set, each as a rank among the reference images.

Nearest neighbours and the Mahalanobis distance detect out-of-distribution images in all features that we tried. Energy
and max-softmax only detect images that lie between classes; with features of a network that was not trained on those
classes they are close to chance (``benchmarks/ood.py``).
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
"""Maps a reference (M, D), its labels (M,) and queries (N, D) to distances (N,); higher = farther."""


def ranked(
    method: str,
    features: Features | None,
    reference: Features,
    labels: Labels | None,
    *,
    kind: str = "real",
    progress: Callable[[int], None] | None = None,
) -> Scores:
    """How far each row lies from ``reference`` (M, D) by the given method: (N,), in 0..1; higher = farther out.

    The score is a rank among the distances of the reference rows, as in
    :func:`synthaug.measures.quality.out_of_distribution` (the method "knn"). The other methods use ``labels`` (M,),
    the classes of the reference. They are cross-fitted: a reference row is measured by the fit that left it out, a
    query row by the mean of all fits. Without ``features`` the reference rows are scored. "knn" calls ``progress`` with
    the number of rows whose distance is known. Raises UnknownName for another method and UserError where the reference
    is too small.
    """
    if method not in METHODS:
        raise UnknownName("out-of-distribution method", method, METHODS)
    if method == "knn":
        return out_of_distribution(features, reference, kind=kind, progress=progress)
    if labels is None or len(np.unique(labels)) < 2 or len(labels) < 2 * FOLDS:
        raise UserError(
            f"the method {method!r} needs a reference of at least {2 * FOLDS} labeled {kind} images of at least two "
            "classes; 'knn' needs no labels"
        )
    reference_distances, query = _cross_fitted(DISTANCES[method], unit_length(reference), labels, features)
    return percentile_rank(reference_distances if query is None else query, reference_distances)


def mahalanobis(reference: Features, labels: Labels, query: Features) -> Scores:
    """Squared Mahalanobis distance (N,) to the nearest class mean, with a shared covariance (Lee et al. 2018)."""
    classes, index = np.unique(labels, return_inverse=True)
    means = np.stack([reference[index == each].mean(0) for each in range(len(classes))]).astype(np.float64)
    spread = np.asarray(reference, np.float64) - means[index]
    covariance = spread.T @ spread / len(reference)
    level = float(np.trace(covariance)) / len(covariance) or 1.0
    covariance = (1 - SHRINKAGE) * covariance + SHRINKAGE * level * np.eye(len(covariance))
    factor = np.linalg.inv(np.linalg.cholesky(covariance))
    whitened, centres = np.asarray(query, np.float64) @ factor.T, means @ factor.T
    squared = (whitened**2).sum(1)[:, None] - 2 * whitened @ centres.T + (centres**2).sum(1)
    distances: Scores = squared.min(1)
    return distances


def energy(reference: Features, labels: Labels, query: Features) -> Scores:
    """-log sum_k exp(logit_k) (N,) of a linear head on the features (Liu et al. 2020)."""
    logits = _logits(reference, labels, query).astype(np.float64)
    top = logits.max(1)
    scores: Scores = -(top + np.log(np.exp(logits - top[:, None]).sum(1)))
    return scores


def max_softmax(reference: Features, labels: Labels, query: Features) -> Scores:
    """1 - the largest probability (N,) of a linear head on the features (Hendrycks & Gimpel 2017)."""
    scores: Scores = 1 - softmax(_logits(reference, labels, query)).max(1).astype(np.float64)
    return scores


DISTANCES: dict[str, Distances] = {
    "mahalanobis": mahalanobis,
    "energy": energy,
    "max-softmax": max_softmax,
}


def _logits(reference: Features, labels: Labels, query: Features) -> NDArray[np.float32]:
    classes, index = np.unique(labels, return_inverse=True)
    return head_logits(reference, index, query, len(classes))


def _cross_fitted(
    distances: Distances, reference: Features, labels: Labels, features: Features | None
) -> tuple[Scores, Scores | None]:
    """Distances (M,) of the reference rows, each by the fit without it, and (N,) of the queries by the mean fit."""
    fold = stratified_folds(labels, FOLDS, seed=0)
    query = np.zeros((0, reference.shape[1]), np.float32) if features is None else unit_length(features)
    reference_distances, mean = np.empty(len(reference)), np.zeros(len(query))
    for held in range(FOLDS):
        inside = fold != held
        both = np.concatenate([reference[~inside], query])
        found = distances(reference[inside], labels[inside], both)
        reference_distances[~inside] = found[: (~inside).sum()]
        mean += found[(~inside).sum() :] / FOLDS
    return reference_distances, None if features is None else mean
