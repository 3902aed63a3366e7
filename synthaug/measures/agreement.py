"""How well two readers of the same angles agree: arrays in, figures out. Angles in degrees, one row an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthaug.measures.metrics import pearson, spearman

Angles = NDArray[np.floating[Any]]
LIMIT = 1.96  # standard deviations


@dataclass(frozen=True, slots=True)
class Agreement:
    """``bias`` is the mean of read minus true; 95 of 100 differences lie within ``low`` .. ``high`` (Bland 1986).

    ``pearson`` and ``spearman`` are None for fewer than three images, or where one of both never varies.
    """

    images: int
    mean_absolute_error: float
    bias: float
    low: float
    high: float
    pearson: float | None
    spearman: float | None


def agreement(true: Angles, read: Angles) -> Agreement:
    """Agreement of angles (N,) with the truth (N,). Raises ValueError for none."""
    if len(true) == 0 or true.shape != read.shape:
        raise ValueError(f"as many angles as there are truths are needed, not {read.shape} for {true.shape}")
    difference = read - true
    bias = float(difference.mean())
    spread = float(difference.std(ddof=1)) if len(difference) > 1 else 0.0
    varies = len(true) > 2 and np.ptp(true) > 0 and np.ptp(read) > 0
    return Agreement(
        images=len(true),
        mean_absolute_error=float(np.abs(difference).mean()),
        bias=bias,
        low=bias - LIMIT * spread,
        high=bias + LIMIT * spread,
        pearson=float(pearson(true, read)) if varies else None,
        spearman=float(spearman(true, read)) if varies else None,
    )


def worst_first(true: Angles, read: Angles) -> NDArray[np.intp]:
    """Rows (N,) of angles (N, A) by their largest error, the worst first."""
    return np.argsort(-np.abs(read - true).max(axis=1), kind="stable")
