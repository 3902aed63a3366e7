"""UMAP (McInnes et al. 2018) as a fit that is kept: new rows are placed among the fitted ones, which do not move.

The fit is plain arrays instead of umap-learn's pickled object, so that reading one from a file runs no code.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from synthaug.measures.neighbors import nearest_neighbors
from synthaug.measures.projection import Coordinates, Features, check, fit_pca, pca
from synthaug.progress import Progress

if TYPE_CHECKING:
    from umap import UMAP

COMPONENTS = 50  # UMAP gets at most this many principal components
EPOCHS = (
    200  # trustworthiness on the digits is 0.987; umap-learn's default of 500 gives 0.989 in twice the time
)
FEWEST = 5  # rows; with fewer, a neighbour graph carries no information
NEIGHBORS = 15
MIN_DIST = 0.1


@dataclass(frozen=True, slots=True)
class UmapFit:
    """A fitted UMAP. ``flat``: the rows were too few or all equal, so the map shows principal components instead."""

    mean: NDArray[np.float64]  # (D,)
    components: NDArray[np.float64]  # (k, D): what reduces features to points; (0, D): nothing does
    points: NDArray[np.float32]  # (N, k), or (N, D) where nothing reduces them
    embedding: Coordinates  # (N, 2)
    seed: int
    flat: bool = False

    def transform(self, features: Features, progress: Progress | None = None) -> Coordinates:
        """Coordinates (M, 2) of other features (M, D), by umap-learn's own transform from exact neighbours.

        ``progress`` is called with rows, then with epochs. Raises ValueError for features of another width,
        and for a flat fit.
        """
        if features.ndim != 2 or features.shape[1] != len(self.mean):
            raise ValueError(f"features must be (M, {len(self.mean)}), not {features.shape}")
        if self.flat:
            raise ValueError("nothing can be placed in a map without a neighbour graph")
        if not len(features):
            return np.zeros((0, 2), np.float32)
        check(features)
        points = _reduced(features, self.mean, self.components)
        looked = _rows_to(progress, len(points))
        distances, indices = nearest_neighbors(points, self.neighbors, self.points, looked)
        model = self._model(progress)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="umap")
            return np.asarray(model.transform(_sparse(distances, indices, len(self.points))), np.float32)

    @property
    def neighbors(self) -> int:
        """How many neighbours the fit used, each point itself among them."""
        return min(NEIGHBORS, len(self.points) - 1)

    def _model(self, progress: Progress | None) -> UMAP:
        """umap-learn's object with what its ``transform`` reads, as its ``fit`` would have left it."""
        from umap import UMAP
        from umap.umap_ import find_ab_params

        model = UMAP(
            n_neighbors=self.neighbors,
            min_dist=MIN_DIST,
            n_epochs=EPOCHS,
            metric="precomputed",  # it is given the distances to the exact neighbours
            random_state=self.seed,
            transform_seed=self.seed,
            n_jobs=1,
            tqdm_kwds=_epochs_to(progress, EPOCHS // 3),  # a transform takes a third of the epochs
        )
        model._raw_data = self.points
        model.embedding_ = self.embedding
        model._n_neighbors = self.neighbors
        model._a, model._b = find_ab_params(model.spread, MIN_DIST)
        model._initial_alpha = model.learning_rate
        model._disconnection_distance = np.inf
        model._input_hash = None
        return model


def fit_umap(features: Features, seed: int, progress: Progress | None = None) -> UmapFit:
    """Fit UMAP to features (N, D) from exact neighbours; the same seed gives the same fit.

    More than 50 features are first reduced to 50 principal components. Fewer than 5 rows, or rows that are all equal,
    have no useful neighbour graph: they get their first two principal components instead. ``progress`` is called with
    rows while neighbours are looked for, then with epochs; an exception that it raises ends the fit.
    """
    check(features)
    width = features.shape[1]
    if len(features) < FEWEST or not np.ptp(features, axis=0).any():
        none = np.zeros((0, width), np.float32)
        return UmapFit(np.zeros(width), none.astype(np.float64), none, pca(features), seed, flat=True)
    reduction = fit_pca(features, COMPONENTS) if width > COMPONENTS else None
    mean = np.zeros(width) if reduction is None else reduction.mean
    components = np.zeros((0, width)) if reduction is None else reduction.components
    points = _reduced(features, mean, components)
    return UmapFit(mean, components, points, _embed(points, seed, progress), seed)


def umap(features: Features, seed: int) -> Coordinates:
    """UMAP coordinates (N, 2) of features (N, D), see :func:`fit_umap`."""
    return fit_umap(features, seed).embedding


def _embed(points: NDArray[np.float32], seed: int, progress: Progress | None) -> Coordinates:
    neighbors = min(NEIGHBORS, len(points) - 1)
    distances, indices = nearest_neighbors(points, neighbors - 1, progress=_rows_to(progress, len(points)))
    # umap-learn expects each point as its own first neighbour.
    own_index = np.arange(len(points))[:, None]
    graph = (np.hstack([own_index, indices]), np.hstack([np.zeros_like(distances[:, :1]), distances]))

    from umap import UMAP

    model = UMAP(
        n_neighbors=neighbors,
        min_dist=MIN_DIST,
        n_epochs=EPOCHS,
        init="pca",
        random_state=seed,
        n_jobs=1,
        precomputed_knn=graph,
        force_approximation_algorithm=True,
        tqdm_kwds=_epochs_to(progress, EPOCHS),
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="umap")
        return np.asarray(model.fit_transform(points), np.float32)


def _reduced(
    features: Features, mean: NDArray[np.float64], components: NDArray[np.float64]
) -> NDArray[np.float32]:
    reduced = (features - mean) @ components.T if len(components) else features
    return np.ascontiguousarray(reduced, np.float32)


def _sparse(distances: NDArray[np.float32], indices: NDArray[np.int64], width: int) -> Any:
    """Distances (M, k) to the rows ``indices`` (M, k) as a sparse matrix (M, width), which keeps distances of 0."""
    from scipy.sparse import csr_matrix

    rows, k = distances.shape
    return csr_matrix((distances.ravel(), indices.ravel(), np.arange(0, rows * k + 1, k)), (rows, width))


def _rows_to(progress: Progress | None, total: int) -> Callable[[int], None]:
    """Hands on the number of rows whose neighbours are found."""

    def looked(done: int) -> None:
        if progress is not None:
            progress(done, total, "rows with their neighbours found")

    return looked


class _Epochs(io.StringIO):
    """A file to which tqdm writes the number of finished epochs: umap-learn offers no other way to watch it."""

    def __init__(self, progress: Progress, total: int) -> None:
        super().__init__()
        self._progress, self._total = progress, total

    def write(self, text: str) -> int:
        if text.strip().isdigit():
            self._progress(min(int(text), self._total), self._total, "epochs")
        return len(text)


def _epochs_to(progress: Progress | None, total: int) -> dict[str, Any]:
    if progress is None:
        return {"disable": True}
    return {"disable": False, "file": _Epochs(progress, total), "bar_format": "{n}", "mininterval": 0.2}
