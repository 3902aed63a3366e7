"""Principal components of features (N, D); they are deterministic. UMAP is in :mod:`synthaug.measures.umap_fit`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.floating[Any]]
Coordinates = NDArray[np.float32]

_BLOCK = 8192  # rows converted to float64 at once


@dataclass(frozen=True, slots=True)
class PrincipalComponents:
    """A fitted PCA; the sign of each component is such that its largest entry is positive."""

    mean: NDArray[np.float64]  # (D,)
    components: NDArray[np.float64]  # (k, D), orthonormal; rows of zeros beyond the rank
    explained_variance_ratio: NDArray[np.float64]  # (k,), shares of the total variance

    def transform(self, features: Features) -> Coordinates:
        """Coordinates (N, k) of features (N, D) on these components."""
        return np.asarray((features - self.mean) @ self.components.T, np.float32)


def fit_pca(features: Features, k: int = 2) -> PrincipalComponents:
    """The first ``k`` principal components of features (N, D) (Pearson 1901), by eigendecomposition of the covariance.

    Raises ValueError for features that are empty, not (N, D) or not finite.
    """
    check(features)
    mean = features.mean(0, dtype=np.float64)
    wide = features.shape[1] > len(features)
    if wide:  # the Gram matrix (N, N) has the same nonzero eigenvalues and is smaller
        centred = features - mean
        values, vectors = np.linalg.eigh(centred @ centred.T)
        vectors = centred.T @ vectors
    else:
        values, vectors = np.linalg.eigh(_scatter(features, mean))
    total = max(float(values.sum()), 0.0)
    rank = int((values > 1e-12 * max(total, 1e-300)).sum())
    kept = min(k, rank)
    components, ratio = np.zeros((k, features.shape[1])), np.zeros(k)
    directions = vectors.T[::-1][:kept]
    components[:kept] = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    largest = np.abs(components).argmax(1)
    components *= np.where(components[np.arange(k), largest] < 0, -1.0, 1.0)[:, None]
    if kept:
        ratio[:kept] = values[::-1][:kept] / total
    return PrincipalComponents(mean, components, ratio)


def pca(features: Features, k: int = 2) -> Coordinates:
    """Coordinates (N, k) on the first k principal components; columns beyond the rank are zero."""
    return fit_pca(features, k).transform(features)


def _scatter(features: Features, mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scatter matrix (D, D) of the centred features, in blocks to avoid a float64 copy of all of them."""
    total = np.zeros((features.shape[1],) * 2)
    for start in range(0, len(features), _BLOCK):
        centred = features[start : start + _BLOCK] - mean
        total += centred.T @ centred
    return total


def check(features: Features) -> None:
    """Raises ValueError for features that are empty, not (N, D) or not finite."""
    if features.ndim != 2 or 0 in features.shape:
        raise ValueError(f"features must be (N, D) with N and D of at least 1, not {features.shape}")
    if not np.isfinite(features).all():
        raise ValueError("features must be finite")
