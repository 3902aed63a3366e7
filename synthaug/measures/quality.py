"""Out-of-distribution scores on two axes: distance to the real images and distance to the other synthetic ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from synthaug.errors import UserError
from synthaug.measures.neighbors import Features, nearest_neighbors

Scores = NDArray[np.float64]
Reading = Literal["artefact", "coverage", "redundant", "typical"]


def out_of_distribution(
    features: Features | None,
    reference: Features,
    *,
    k: int = 5,
    kind: str = "real",
    progress: Callable[[int], None] | None = None,
) -> Scores:
    """How far each row of ``features`` (N, D) lies from ``reference`` (M, D): (N,), in 0..1; higher = farther out.

    The distance to the k-th nearest reference row, between features scaled to length 1 (Sun et al. 2022), given as its
    rank among the same distances of the reference rows, each measured without itself: 0.99 is farther out than 99% of
    the reference. Features are scaled because a network answers unfamiliar images with *short* features, which lie
    close to everything (``benchmarks/ood.py``).

    Without ``features`` the reference rows are scored. For synthetic images, ``ood_real`` is
    ``out_of_distribution(synthetic, real)`` and ``ood_synthetic`` is ``out_of_distribution(None, synthetic)``.
    ``kind`` names the reference in errors. ``progress`` is called with the number of rows whose distance is known, of
    the reference first. Raises UserError for fewer than 2 reference rows.
    """
    if len(reference) < 2:
        raise UserError(
            f"out-of-distribution scores need a reference of at least 2 {kind} images, not {len(reference)}"
        )
    k = min(k, len(reference) - 1)
    reference = unit_length(reference)
    reference_distances = nearest_neighbors(reference, k, progress=progress)[0][:, -1]
    if features is None:
        return percentile_rank(reference_distances, reference_distances)
    if not len(features):
        return np.zeros(0)

    def also(done: int) -> None:
        if progress is not None:
            progress(len(reference) + done)

    distances = nearest_neighbors(unit_length(features), k, reference, also)[0][:, -1]
    return percentile_rank(distances, reference_distances)


def unit_length(features: Features) -> Features:
    """Features (N, D) with each row divided by its Euclidean length; rows of zeros stay as they are."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    scaled: Features = features / np.where(lengths == 0, 1, lengths)
    return scaled


def percentile_rank(values: NDArray[np.floating[Any]], reference: NDArray[np.floating[Any]]) -> Scores:
    """Share (N,) of ``reference`` (M,) below each of the values (N,), ties counted half, in 0..1."""
    ordered = np.sort(reference)
    below = np.searchsorted(ordered, values, side="left")
    up_to = np.searchsorted(ordered, values, side="right")
    return (below + up_to) / (2 * len(ordered))


def read_ood(
    ood_real: Scores, ood_synthetic: Scores, *, far: float = 0.95, sparse: float = 0.75
) -> list[Reading]:
    """One word for each synthetic image that sums up both scores (N,).

    - *artefact*: ``ood_real`` is at least ``far``, so it resembles hardly any real image, and ``ood_synthetic`` is at
      least ``sparse``, so it does not resemble the other synthetic images either: look, then reject;
    - *redundant*: as far from the real images, but one of many similar ones: the generator repeats an error;
    - *coverage*: close to the real images, in a region with few other synthetic images: keep;
    - *typical*: close to both: one more of the same kind.

    An ``ood_synthetic`` of NaN (a lone synthetic image) counts as sparse far from the real images and as dense near
    them.
    """
    dense = ood_synthetic < sparse
    outside = np.where(dense, "redundant", "artefact")
    inside = np.where(ood_synthetic >= sparse, "coverage", "typical")
    readings: list[Reading] = np.where(ood_real >= far, outside, inside).tolist()
    return readings
