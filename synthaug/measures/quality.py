"""Out-of-distribution on two axes: far from the real images, and far from the other synthetic ones."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from synthaug.errors import UserError
from synthaug.measures.neighbors import Features, nearest_neighbors

Scores = NDArray[np.float64]
Reading = Literal["artefact", "coverage", "typical"]


def out_of_distribution(
    features: Features | None, reference: Features, *, k: int = 5, kind: str = "real"
) -> Scores:
    """How far each row lies from ``reference`` (M, D), in 0..1; higher = farther out. Shape (N,).

    The distance to the k-th nearest reference row between features of length 1 (Sun et al. 2022), as its rank among
    the same distances of the reference rows themselves, each leaving itself out: 0.99 is farther than 99% of the
    reference. Lengths are divided out because a network answers what it does not know with *short* features, which lie
    near everything (``benchmarks/ood.py``).
    Without ``features`` the reference rows are scored: ``ood_synthetic`` of the synthetic images is
    ``out_of_distribution(None, synthetic)``, their ``ood_real`` is ``out_of_distribution(synthetic, real)``.
    ``kind`` names the reference in errors.
    """
    if len(reference) < 2:
        raise UserError(
            f"out-of-distribution scores need at least 2 {kind} images as reference, not {len(reference)}"
        )
    k = min(k, len(reference) - 1)
    reference = unit_length(reference)
    usual = nearest_neighbors(reference, k)[0][:, -1]
    if features is None:
        return percentile_rank(usual, usual)
    if not len(features):
        return np.zeros(0)
    return percentile_rank(nearest_neighbors(unit_length(features), k, reference)[0][:, -1], usual)


def unit_length(features: Features) -> Features:
    """Each row (N, D) divided by its Euclidean length; rows of zeros stay."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    scaled: Features = features / np.where(lengths == 0, 1, lengths)
    return scaled


def percentile_rank(values: NDArray[np.floating[Any]], reference: NDArray[np.floating[Any]]) -> Scores:
    """Share of ``reference`` (M,) below each value, ties counted half, in 0..1: (N,)."""
    ordered = np.sort(reference)
    below = np.searchsorted(ordered, values, side="left")
    up_to = np.searchsorted(ordered, values, side="right")
    return (below + up_to) / (2 * len(ordered))


def read_ood(
    ood_real: Scores, ood_synthetic: Scores, *, far: float = 0.95, sparse: float = 0.75
) -> list[Reading]:
    """Both axes in a word for each synthetic image.

    - *artefact*: ``ood_real`` of at least ``far``, so unlike nearly every real image: look, then reject;
    - *coverage*: near the real images and ``ood_synthetic`` of at least ``sparse``, so it fills a place
      where few other synthetic images are: keep;
    - *typical*: near both: one more of the same.
    """
    words = np.where(ood_real >= far, "artefact", np.where(ood_synthetic >= sparse, "coverage", "typical"))
    readings: list[Reading] = words.tolist()
    return readings
