"""The ten nearest neighbours of 10,000 rows of 512 features, beside scikit-learn, usearch and pynndescent.

    python -m benchmarks.peers.neighbors

Ours and scikit-learn's brute force are exact. Peers that find fewer than 95% of the true neighbours are shown, but do
not count. The time of an approximate peer includes building its index, as every pool is searched once.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from .common.claim import Action, Claim, Row, Side
from .common.turns import main

COUNT, SIZE, K = 10_000, 512, 10
WHY = (
    "ours is exact and near the floor of any exact search. Only an approximate search takes less; it misses some "
    "neighbours, so that distances and duplicates would depend on its random start."
)


def prepare(data: Path) -> None:
    """Rows in a hundred clusters, and the true neighbours by distances in float64."""
    import numpy as np

    rng = np.random.default_rng(0)
    centres = rng.standard_normal((100, SIZE), np.float32)
    rows = centres[rng.integers(0, 100, COUNT)] + rng.standard_normal((COUNT, SIZE), np.float32)
    np.save(data / "rows.npy", rows)
    exact, truth = rows.astype(np.float64), np.empty((COUNT, K), np.int64)
    squares = (exact**2).sum(1)
    for start in range(0, COUNT, 2000):
        squared = squares - 2 * exact[start : start + 2000] @ exact.T
        squared[np.arange(len(squared)), np.arange(len(squared)) + start] = np.inf
        truth[start : start + 2000] = np.argpartition(squared, K, axis=1)[:, :K]
    np.save(data / "truth.npy", truth)


def judged(data: Path, find: Callable[[Any], Any]) -> Action:
    """A round of a function that gives indices (N, K) or (N, K + 1), where the row itself does not count."""
    import time

    import numpy as np

    rows, truth = np.load(data / "rows.npy"), np.load(data / "truth.npy")
    expected = [set(each) for each in truth.tolist()]

    def work() -> dict[str, float]:
        began = time.perf_counter()
        found = find(rows)
        seconds = time.perf_counter() - began
        hits = sum(len(set(each) & want) for each, want in zip(found.tolist(), expected, strict=True))
        return {"seconds": seconds, "recall": hits / truth.size}

    return work


def ours(data: Path) -> Action:
    from synthaug.measures.neighbors import nearest_neighbors

    return judged(data, lambda rows: nearest_neighbors(rows, K)[1])


def sklearn_brute(data: Path) -> Action:
    from sklearn.neighbors import NearestNeighbors

    return judged(data, lambda rows: NearestNeighbors(algorithm="brute").fit(rows).kneighbors(None, K)[1])


def usearch_exact(data: Path) -> Action:
    from usearch.index import MetricKind, search

    return judged(data, lambda rows: search(rows, rows, K + 1, MetricKind.L2sq, exact=True).keys)


def usearch_index(data: Path) -> Action:
    import numpy as np
    from usearch.index import Index

    def find(rows: Any) -> Any:
        index = Index(ndim=SIZE, metric="l2sq", dtype="f32", expansion_add=256, expansion_search=512)
        index.add(np.arange(len(rows)), rows)
        return index.search(rows, K + 1).keys

    return judged(data, find)


def pynndescent(data: Path) -> Action:
    from pynndescent import NNDescent

    return judged(data, lambda rows: NNDescent(rows, n_neighbors=K + 1, random_state=0).neighbor_graph[0])


def products(data: Path) -> Action:
    import numpy as np
    import torch

    rows = torch.from_numpy(np.load(data / "rows.npy"))
    held = torch.empty(400, COUNT)

    def work() -> None:
        for start in range(0, COUNT, 400):
            torch.mm(rows[start : start + 400], rows.T, out=held)

    return work


CLAIM = Claim(
    "neighbors",
    "Nearest neighbours",
    (
        Side("synthaug", ours, role="ours"),
        Side("scikit-learn brute", sklearn_brute, shown="scikit-learn"),
        Side("usearch exact", usearch_exact, ("usearch==2.26.6",)),
        Side("usearch HNSW", usearch_index, ("usearch==2.26.6",)),
        Side("pynndescent", pynndescent, ("pynndescent==0.7.0",)),
        Side("floor", products, role="floor"),
    ),
    (
        Row(
            "seconds",
            f"{K} nearest of {COUNT:,} rows of {SIZE} features, recall 95% or more",
            least=0.95,
            why=WHY,
        ),
    ),
    floor="the matrix products of all distances alone, in float32, without choosing the nearest",
    notes="Ours and the two brute forces are exact.",
    prepare=prepare,
    rounds=3,
)

if __name__ == "__main__":
    main(CLAIM)
