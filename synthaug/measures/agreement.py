"""How well two readers agree on the same angles (Bland & Altman 1986). Angles are in degrees, one row per image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthaug.measures.metrics import pearson, spearman

Angles = NDArray[np.floating[Any]]
LIMIT = 1.96  # standard deviations


@dataclass(frozen=True, slots=True)
class AngleAgreement:
    """The agreement of one angle, in degrees; the correlations are None for fewer than three images or a constant."""

    images: int
    mean_absolute_error: float
    bias: float  # mean of read - true
    low: float  # limits of agreement, between which 95% of the differences lie
    high: float
    pearson: float | None
    spearman: float | None


def agreement(true: Angles, read: Angles) -> AngleAgreement:
    """The agreement of read angles (N,) with true ones (N,). Raises ValueError for no angles or unequal lengths."""
    if len(true) == 0 or true.shape != read.shape:
        raise ValueError(
            f"both readers need the same number of angles, at least one, not {true.shape} and {read.shape}"
        )
    difference = read - true
    bias = float(difference.mean())
    spread = float(difference.std(ddof=1)) if len(difference) > 1 else 0.0
    varies = len(true) > 2 and np.ptp(true) > 0 and np.ptp(read) > 0
    return AngleAgreement(
        images=len(true),
        mean_absolute_error=float(np.abs(difference).mean()),
        bias=bias,
        low=bias - LIMIT * spread,
        high=bias + LIMIT * spread,
        pearson=float(pearson(true, read)) if varies else None,
        spearman=float(spearman(true, read)) if varies else None,
    )


def worst_first(true: Angles, read: Angles) -> NDArray[np.intp]:
    """The indices (N,) of the rows of angles (N, A), sorted by their largest absolute error, the largest first."""
    return np.argsort(-np.abs(read - true).max(axis=1), kind="stable")
