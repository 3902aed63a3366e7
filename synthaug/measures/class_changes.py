"""Which classes changed between two training sets, with the family-wise error rate controlled."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from synthaug.measures.evidence import CONFIDENCE, Scores, check_paired, floored


@dataclass(frozen=True, slots=True)
class ClassChange:
    """One class of ``per_class_changes``."""

    class_index: int
    baseline_mean: float
    augmented_mean: float
    difference: float
    p: float  # paired two-sided t test
    p_holm: float  # the same, corrected for the number of classes
    direction: Literal["better", "worse", "no clear change"]


def per_class_changes(
    baseline: Scores,
    augmented: Scores,
    *,
    resolution: NDArray[np.float64] | float = 0.0,
    confidence: float = CONFIDENCE,
) -> tuple[ClassChange, ...]:
    """Which classes changed, from the scores (S, K) of S runs per side; NaN marks a class without test images.

    A class counts as better or worse when its Holm-corrected p is below 1 - ``confidence``, which bounds the chance
    of any false alarm among the K classes (Holm 1979). Classes without test images are left out. ``resolution`` is
    the smallest step of a score, one for each class (K,) or one for all: the accuracy on 50 test images changes in
    steps of 2 points, so three seeds may well agree on a step by chance; see ``evidence.floored``. Raises ValueError
    for sides of different shapes.
    """
    before, after = np.asarray(baseline, np.float64), np.asarray(augmented, np.float64)
    check_paired(before, after, 2)
    tested = np.flatnonzero(~np.isnan(before + after).any(0))
    steps = np.broadcast_to(resolution, before.shape[1:])
    differences = (after - before)[:, tested]
    p = paired_p(differences, steps[tested])
    return tuple(
        ClassChange(
            class_index=k,
            baseline_mean=float(before[:, k].mean()),
            augmented_mean=float(after[:, k].mean()),
            difference=difference,
            p=raw,
            p_holm=corrected,
            direction=_direction(difference, corrected < 1 - confidence),
        )
        for k, difference, raw, corrected in zip(
            tested.tolist(), differences.mean(0).tolist(), p.tolist(), holm(p).tolist(), strict=True
        )
    )


def paired_p(differences: NDArray[np.float64], resolution: NDArray[np.float64]) -> NDArray[np.float64]:
    """Two-sided p values (K,) of a paired t test (Student 1908) on differences (S, K) in steps of ``resolution`` (K,).

    1 for a single run or no change; 0 where all runs change by the same amount and the resolution is 0.
    """
    from scipy.stats import t

    count, mean = len(differences), differences.mean(0)
    if count < 2:
        return np.ones(len(mean))
    spread = floored(differences.std(0, ddof=1), resolution)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * t.sf(np.abs(mean) / (spread / math.sqrt(count)), count - 1)
    return np.where(mean == 0, 1.0, p)


def holm(p: Scores) -> NDArray[np.float64]:
    """Holm's step-down corrected p values (M,), each in 0..1 and at least as large as the raw one (Holm 1979)."""
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(stepped, 1.0)
    return corrected


def _direction(difference: float, clear: bool) -> Literal["better", "worse", "no clear change"]:
    if not clear:
        return "no clear change"
    return "better" if difference > 0 else "worse"
