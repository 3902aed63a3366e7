"""Projections of features (N, D) to two dimensions: principal components and UMAP. Both are deterministic per seed."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthaug.measures.neighbors import nearest_neighbors

Features = NDArray[np.floating[Any]]
Coordinates = NDArray[np.float32]

_BLOCK = 8192  # rows converted to float64 at once
_UMAP_COMPONENTS = 50  # UMAP gets at most this many principal components
_UMAP_EPOCHS = (
    200  # trustworthiness on the digits is 0.987; umap-learn's default of 500 gives 0.989 in twice the time
)
_UMAP_FEWEST = 5  # rows; with fewer, a neighbour graph carries no information


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
    _check(features)
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


def umap(features: Features, seed: int, *, n_neighbors: int = 15, min_dist: float = 0.1) -> Coordinates:
    """UMAP coordinates (N, 2) (McInnes et al. 2018) from exact neighbours; the same seed gives the same output.

    More than 50 features are first reduced to 50 principal components. Fewer than 5 rows, or rows that are all
    equal, have no useful neighbour graph: they get their first two principal components instead.
    """
    _check(features)
    if len(features) < _UMAP_FEWEST or not np.ptp(features, axis=0).any():
        return pca(features)
    points = pca(features, _UMAP_COMPONENTS) if features.shape[1] > _UMAP_COMPONENTS else features
    points = np.ascontiguousarray(points, np.float32)
    neighbors = min(n_neighbors, len(points) - 1)
    distances, indices = nearest_neighbors(points, neighbors - 1)
    # umap-learn expects each point as its own first neighbour.
    own_index = np.arange(len(points))[:, None]
    graph = (np.hstack([own_index, indices]), np.hstack([np.zeros_like(distances[:, :1]), distances]))

    from umap import UMAP

    model = UMAP(
        n_neighbors=neighbors,
        min_dist=min_dist,
        n_epochs=_UMAP_EPOCHS,
        init="pca",
        random_state=seed,
        n_jobs=1,
        precomputed_knn=graph,
        force_approximation_algorithm=True,
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="umap")
        return np.asarray(model.fit_transform(points), np.float32)


def _scatter(features: Features, mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scatter matrix (D, D) of the centred features, in blocks to avoid a float64 copy of all of them."""
    total = np.zeros((features.shape[1],) * 2)
    for start in range(0, len(features), _BLOCK):
        centred = features[start : start + _BLOCK] - mean
        total += centred.T @ centred
    return total


def _check(features: Features) -> None:
    if features.ndim != 2 or 0 in features.shape:
        raise ValueError(f"features must be (N, D) with N and D of at least 1, not {features.shape}")
    if not np.isfinite(features).all():
        raise ValueError("features must be finite")
