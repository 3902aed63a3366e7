"""How diverse a set of images is, measured on features (N, D), and how that changes as the set grows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthaug.errors import UserError
from synthaug.measures.neighbors import Features, nearest_neighbors

Measure = Callable[[Features], float]

QUANTILES = (0.05, 0.5, 0.95)


def vendi_score(features: Features) -> float:
    """Effective number of different images, 1 .. min(N, D); higher = more diverse.

    The exponential of the entropy of the eigenvalues of ``K / N``, where K is the cosine kernel (Friedman & Dieng
    2023). The matrix ``X^T X / N`` (D, D) of unit rows has the same nonzero eigenvalues, so N may be 100,000.
    """
    unit = unit_rows(features)
    n, d = unit.shape
    gram = unit.T @ unit if d <= n else unit @ unit.T
    shares = np.linalg.eigvalsh(gram / n)
    shares = shares[shares > 1e-12]
    return float(np.exp(-(shares * np.log(shares)).sum()))


def mean_cosine(features: Features) -> float:
    """Mean cosine similarity over all pairs of different rows, -1 .. 1; higher = more alike. Takes O(N D) time.

    The squared length of the sum of the unit rows is the sum over all pairs, including each row with itself.
    """
    unit = unit_rows(features)
    n = len(unit)
    total = unit.sum(0)
    return float((total @ total - n) / (n * (n - 1)))


def neighbor_quantiles(features: Features, quantiles: Sequence[float] = QUANTILES) -> NDArray[np.float64]:
    """Quantiles of each row's cosine distance (0 .. 2) to its nearest neighbour; higher = more diverse."""
    distances = nearest_neighbors(unit_rows(features), 1)[0][:, 0].astype(np.float64)
    return np.quantile(distances**2 / 2, quantiles)


MEASURES: Mapping[str, Measure] = {
    "vendi": vendi_score,
    "mean cosine": mean_cosine,
    "neighbor 5%": lambda features: float(neighbor_quantiles(features, [0.05])[0]),
    "neighbor median": lambda features: float(neighbor_quantiles(features, [0.5])[0]),
}
"""Diversity measures by name. Higher = more diverse, except "mean cosine", where lower = more diverse."""


@dataclass(frozen=True, slots=True)
class Point:
    """A diversity measure at one size of the set."""

    size: int  # images in each subset
    mean: float  # over the repeats
    low: float  # smallest value among the repeats
    high: float  # largest value among the repeats
    repeats: int


def curve(
    features: Features, sizes: Sequence[int], seed: int, repeats: int = 5, measure: Measure = vendi_score
) -> list[Point]:
    """``measure`` on random subsets of each of ``sizes``, drawn without replacement ``repeats`` times.

    Each repeat shuffles all rows once and takes the first ones, so that its subsets are nested, as they are in a set
    that grows. The subset that holds all rows is measured once. Raises UserError for a size outside 2..N.
    """
    _check(features)
    wrong = [size for size in sizes if not 2 <= size <= len(features)]
    if wrong or repeats < 1:
        raise UserError(
            f"a curve needs sizes in 2..{len(features)} (the number of images) and at least one repeat, "
            f"not {wrong or list(sizes)} and {repeats}"
        )
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(len(features)) for _ in range(repeats)]
    points = []
    for size in sizes:
        taken = orders if size < len(features) else orders[:1]
        values = [measure(features[order[:size]]) for order in taken]
        points.append(Point(size, float(np.mean(values)), min(values), max(values), len(values)))
    return points


def unit_rows(features: Features) -> NDArray[np.float64]:
    """Features (N, D) with each row scaled to length 1; raises ValueError for a row of zeros."""
    _check(features)
    exact = np.asarray(features, np.float64)
    lengths = np.linalg.norm(exact, axis=1, keepdims=True)
    if not lengths.all():
        raise ValueError(f"{int((lengths == 0).sum())} feature rows are all zeros: they have no direction")
    return np.asarray(exact / lengths)


def _check(features: Features) -> None:
    if features.ndim != 2:
        raise ValueError(f"features must be (N, D), not {features.shape}")
    if len(features) < 2:
        raise UserError(f"diversity needs at least 2 images, not {len(features)}")
    if not np.isfinite(features).all():
        raise ValueError("features must be finite")
