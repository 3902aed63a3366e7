"""Near-duplicates among 20,000 rows of 512 features, beside scikit-learn and usearch.

    python -m benchmarks.peers.duplicates

Every hundredth row is planted twice, with a distance far below the threshold. Each side must find all of them and no
other; usearch may miss some, which its recall says.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .common.claim import Action, Claim, Row, Side
from .common.turns import main

COUNT, SIZE, THRESHOLD = 20_000, 512, 0.1


def prepare(data: Path) -> None:
    import numpy as np

    rng = np.random.default_rng(0)
    centres = rng.standard_normal((100, SIZE), np.float32)
    rows = centres[rng.integers(0, 100, COUNT)] + rng.standard_normal((COUNT, SIZE), np.float32)
    rows[1::100] = rows[::100] + np.float32(1e-4)
    np.save(data / "rows.npy", rows)


def judged(data: Path, find: Callable[[Any], Any]) -> Action:
    """A round of a function that gives the numbers of the rows that have an earlier near-duplicate."""
    import numpy as np

    rows = np.load(data / "rows.npy")
    planted = set(range(1, COUNT, 100))

    def work() -> dict[str, float]:
        began = time.perf_counter()
        found = set(map(int, find(rows)))
        seconds = time.perf_counter() - began
        if found - planted:
            raise RuntimeError(f"{len(found - planted)} rows that are no duplicates were found")
        return {"seconds": seconds, "recall": len(found) / len(planted)}

    return work


def ours(data: Path) -> Action:
    import numpy as np

    from synthaug.measures.neighbors import near_duplicates

    return judged(data, lambda rows: np.flatnonzero(near_duplicates(rows, THRESHOLD) >= 0))


def sklearn_radius(data: Path) -> Action:
    from sklearn.neighbors import NearestNeighbors

    def find(rows: Any) -> list[int]:
        search = NearestNeighbors(radius=THRESHOLD, algorithm="brute").fit(rows)
        near = search.radius_neighbors(rows, return_distance=False)
        return [number for number, each in enumerate(near) if each.min() < number]

    return judged(data, find)


def usearch_pairs(data: Path) -> Action:
    import numpy as np
    from usearch.index import Index

    def find(rows: Any) -> Any:
        index = Index(ndim=SIZE, metric="l2sq", dtype="f32")
        index.add(np.arange(len(rows)), rows)
        matches = index.search(rows, 2)
        near = (matches.distances <= THRESHOLD**2) & (matches.keys < np.arange(len(rows))[:, None])
        return np.flatnonzero(near.any(1))

    return judged(data, find)


def products(data: Path) -> Action:
    import numpy as np
    import torch

    rows = torch.from_numpy(np.load(data / "rows.npy"))

    def work() -> None:
        for start in range(0, COUNT, 400):
            torch.mm(rows[start : start + 400], rows[: start + 400].T)

    return work


CLAIM = Claim(
    "duplicates",
    "Near-duplicates",
    (
        Side("synthaug", ours, role="ours"),
        Side("scikit-learn radius", sklearn_radius, shown="scikit-learn"),
        Side("usearch HNSW", usearch_pairs, ("usearch==2.26.6",)),
        Side("floor", products, role="floor"),
    ),
    (
        Row(
            "seconds",
            f"All near-duplicates of {COUNT:,} rows of {SIZE} features, recall 95% or more",
            least=0.95,
        ),
    ),
    floor="the matrix products of every pair of rows once, in float32",
    prepare=prepare,
    rounds=3,
)

if __name__ == "__main__":
    main(CLAIM)
