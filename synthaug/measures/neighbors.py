"""Exact nearest neighbours of features (N, D) by Euclidean distance, computed in blocks of matrix products."""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Features = NDArray[np.floating[Any]]

_BLOCK_ENTRIES = 2**23  # distances held at once, 32 MiB as float32
_SPARE = 8  # candidates beyond k, which exact distances then put in order


def nearest_neighbors(
    features: Features,
    k: int,
    reference: Features | None = None,
    progress: Callable[[int], None] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Distances (N, k), ascending, and row indices (N, k) of the k nearest rows of ``reference`` (M, D).

    Without ``reference`` the neighbours come from ``features`` itself, where no row is its own neighbour. ``progress``
    is called with the number of finished rows; an exception that it raises ends the search. Raises ValueError for a k
    outside 1 .. number of neighbours, or features that do not match or are not finite.
    """
    import torch

    own = reference is None
    points = features if reference is None else reference
    _check(features, points)
    available = len(points) - own
    if not 1 <= k <= available:
        raise ValueError(f"k must lie in 1..{available} (the number of neighbours), not {k}")
    # Centring avoids cancellation in |a|^2 - 2ab + |b|^2 where features lie far from 0.
    centre = points.mean(0, dtype=np.float64)
    targets = torch.from_numpy((points - centre).astype(np.float32))
    queries = targets if own else torch.from_numpy((features - centre).astype(np.float32))
    squares = targets.square().sum(1)
    distances, indices = np.empty((len(queries), k), np.float32), np.empty((len(queries), k), np.int64)
    step = max(1, _BLOCK_ENTRIES // len(points))
    for start in range(0, len(queries), step):
        block = queries[start : start + step]
        rough = torch.addmm(squares, block, targets.T, alpha=-2)  # squared distance minus the query's square
        if own:
            rows = torch.arange(len(block))
            rough[rows, rows + start] = torch.inf
        candidates = rough.topk(min(k + _SPARE, available), largest=False).indices
        exact, found = _in_order(block, targets, candidates.sort(1).values, k)
        distances[start : start + step], indices[start : start + step] = exact.numpy(), found.numpy()
        if progress is not None:
            progress(start + len(block))
    return distances, indices


def unit_distances(query: NDArray[np.floating[Any]], features: Features) -> NDArray[np.float32]:
    """Euclidean distance (N,), 0..2, of ``query`` (D,) to each row of ``features`` (N, D), all scaled to length 1.

    Rows of zeros stay zeros. Rows are read in blocks, so ``features`` may be a memory-mapped file.
    """
    length = float(np.linalg.norm(np.asarray(query, np.float32)))
    unit = np.asarray(query, np.float32) / (length or 1)
    squared = np.empty(len(features), np.float32)
    step = max(1, _BLOCK_ENTRIES // max(1, features.shape[1]))
    for start in range(0, len(features), step):
        block = np.asarray(features[start : start + step], np.float32)
        lengths = np.linalg.norm(block, axis=1)
        cosines = (block @ unit) / np.where(lengths == 0, 1, lengths)
        squared[start : start + step] = (length > 0) + (lengths > 0).astype(np.float32) - 2 * cosines
    return np.sqrt(np.maximum(0, squared))


def _in_order(block: Tensor, targets: Tensor, candidates: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k nearest of the candidates (B, C) by exact distance; ties go to the lower row number."""
    import torch

    exact = torch.stack([(targets[column] - block).norm(dim=1) for column in candidates.T], dim=1)
    order = exact.sort(stable=True, dim=1).indices[:, :k]
    return exact.gather(1, order), candidates.gather(1, order)


def near_duplicates(
    features: Features, threshold: float, progress: Callable[[int], None] | None = None
) -> NDArray[np.int64]:
    """For each row, the index (N,) of the first earlier row at a distance of at most ``threshold``, or -1.

    Keeping the rows with -1 keeps one of every pair; chains of near duplicates are not followed. Products of float32
    exclude most pairs, and float64 decides about the others. ``progress`` is called with the number of finished rows.
    """
    _check(features, features)
    duplicate_of = np.full(len(features), -1, np.int64)
    if not len(features):
        return duplicate_of
    search = _EarlierRows(features, threshold)
    side = max(1, isqrt(_BLOCK_ENTRIES // 2))  # square tiles: both of their blocks of rows stay in the cache
    for start in range(0, len(features), side):
        end = min(start + side, len(features))
        duplicate_of[start:end] = search.first(start, end, side)
        if progress is not None:
            progress(end)
    return duplicate_of


class _EarlierRows:
    """The search of :func:`near_duplicates` among centred rows (N, D)."""

    def __init__(self, features: Features, threshold: float) -> None:
        import torch

        exact = np.asarray(features - features.mean(0, dtype=np.float64), np.float64)
        self.exact = torch.from_numpy(exact)
        self.rough = self.exact.float()
        self.squares = self.rough.square().sum(1)
        longest = float(self.squares.max())
        # A row at exactly the threshold is near, although centring rounds its coordinates.
        self.limit = (threshold + 4 * sqrt(longest) * np.finfo(np.float64).eps) ** 2
        # |a|^2 - 2ab + |b|^2 is off by at most (D + 4) u (|a| + |b|)^2 in floating point of unit roundoff u (Higham,
        # Accuracy and Stability of Numerical Algorithms, 2002, section 3.1).
        self.margin = 4 * longest * (exact.shape[1] + 4) * torch.finfo(torch.float32).eps / 2

    def first(self, start: int, end: int, side: int) -> NDArray[np.int64]:
        """For rows ``start`` to ``end`` the first earlier row within reach, or -1, in blocks of ``side`` rows."""
        import torch

        found = torch.full((end - start,), -1)
        reach = self.limit + self.margin - self.squares[start:end, None]
        for column in range(0, end, side):
            block = slice(column, min(column + side, end))
            squared = torch.addmm(self.squares[block], self.rough[start:end], self.rough[block].T, alpha=-2)
            near = squared <= reach
            if block.stop > start:
                near = near.tril(start - column - 1)
            if near.any():
                near[found >= 0] = False
                self._decide(near, start, column, found)
        return found.numpy()

    def _decide(self, near: Tensor, start: int, column: int, found: Tensor) -> None:
        """Set ``found`` of the rows of a tile whose first candidate within reach is among ``near``; clears those."""
        import torch

        while len(rows := near.any(1).nonzero()[:, 0]):
            candidates = near[rows].to(torch.uint8).argmax(1)
            gaps = self.exact[start + rows] - self.exact[column + candidates]
            reached = gaps.square().sum(1) <= self.limit
            found[rows[reached]] = column + candidates[reached]
            near[rows, candidates] = False
            near[rows[reached]] = False


def _check(features: Features, reference: Features) -> None:
    for each in (features, reference):
        if each.ndim != 2 or each.shape[1] != features.shape[1]:
            raise ValueError(
                f"features must be (N, D) with one D, not {features.shape} and {reference.shape}"
            )
        if not np.isfinite(each).all():
            raise ValueError("features must be finite")
