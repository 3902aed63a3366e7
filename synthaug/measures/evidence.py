"""Did the synthetic images help? A paired comparison of two training sets over seeds.

Run s of both sides shares its seed and its real test set, so the differences are what is analysed. The
verdict rests on Student's t interval for their mean. With the usual 3 to 10 seeds the percentile bootstrap
is too narrow (it resamples a spread that so few values underestimate); it is given beside it all the same.
The interval speaks of the variation between training runs, on this one test set.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.floating[Any]]
Verdict = Literal["helped", "did not help", "not enough evidence"]

FEWEST_SEEDS = 3  # below, no verdict: two differences say too little of the spread
MOST_SEEDS = 1000  # "seeds needed" beyond this is reported as None
POWER = 0.8  # the chance of a verdict that "seeds needed" is reckoned for


@dataclass(frozen=True, slots=True)
class Evidence:
    """The outcome of ``paired_comparison``; scores keep the unit they came in (accuracy: 0..1)."""

    seeds: int
    baseline_mean: float
    augmented_mean: float
    difference: float  # augmented - baseline, mean over seeds
    spread: float  # standard deviation of the differences, 0 for one seed
    ci: tuple[float, float] | None  # t interval of the difference; None for one seed
    bootstrap: tuple[float, float] | None  # percentile interval of the same
    confidence: float
    smallest_effect: float
    verdict: Verdict
    seeds_needed: int | None  # when there is not enough evidence: how many might settle it


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


def paired_comparison(
    baseline: Sequence[float] | Scores,
    augmented: Sequence[float] | Scores,
    *,
    confidence: float = 0.95,
    smallest_effect: float = 0.005,
    resolution: float = 0.0,
    resamples: int = 10_000,
    seed: int = 0,
) -> Evidence:
    """Compare scores (S,) of S runs a side, run s of both with the same seed; higher score = better.

    The rule, in this order:

    - fewer than 3 seeds: *not enough evidence*;
    - the interval lies wholly above 0: *helped*;
    - it lies wholly below ``smallest_effect`` (the least gain worth having, in the scores' unit; 0.005 is
      half a point of accuracy), so such a gain is ruled out: *did not help*;
    - else: *not enough evidence*.

    ``resolution`` is the smallest step of a score, 1 / number of test images for an accuracy. Its rounding
    error is a floor under the spread, so that a few coarse scores that happen to agree prove nothing.
    """
    before, after = np.asarray(baseline, np.float64), np.asarray(augmented, np.float64)
    _check(before, after, 1)
    if smallest_effect < 0:
        raise ValueError(f"the smallest effect must be at least 0, not {smallest_effect}")
    differences = after - before
    count, mean = len(differences), float(differences.mean())
    spread = float(differences.std(ddof=1)) if count > 1 else 0.0
    floored = max(spread, resolution / math.sqrt(6))  # variance of the difference of two roundings
    ci = _t_interval(mean, floored, count, confidence) if count > 1 else None
    verdict = _verdict(ci, count, smallest_effect)
    return Evidence(
        seeds=count,
        baseline_mean=float(before.mean()),
        augmented_mean=float(after.mean()),
        difference=mean,
        spread=spread,
        ci=ci,
        bootstrap=_bootstrap(differences, confidence, resamples, seed) if count > 1 else None,
        confidence=confidence,
        smallest_effect=smallest_effect,
        verdict=verdict,
        seeds_needed=_seeds_needed(mean, floored, count, confidence, smallest_effect)
        if verdict == "not enough evidence"
        else None,
    )


def mean_interval(
    scores: Sequence[float] | Scores, *, confidence: float = 0.95
) -> tuple[float, float] | None:
    """Student's t interval of the mean of scores (S,), in their unit; None for one."""
    values = np.asarray(scores, np.float64)
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise ValueError(f"scores must be one or more finite numbers, not {scores}")
    if len(values) == 1:
        return None
    return _t_interval(float(values.mean()), float(values.std(ddof=1)), len(values), confidence)


def per_class_changes(
    baseline: Scores, augmented: Scores, *, confidence: float = 0.95
) -> tuple[ClassChange, ...]:
    """Which classes changed: accuracies (S, K) of S runs a side, NaN for a class without test images.

    A class counts as better or worse when its Holm-corrected p is below 1 - ``confidence``: the chance of
    any false alarm among all K is held there (Holm 1979). Classes without test images are left out.
    """
    before, after = np.asarray(baseline, np.float64), np.asarray(augmented, np.float64)
    _check(before, after, 2)
    tested = np.flatnonzero(~np.isnan(before + after).any(0))
    p = np.array([_paired_p(after[:, k] - before[:, k]) for k in tested])
    changes = []
    for k, raw, corrected in zip(tested.tolist(), p.tolist(), holm(p).tolist(), strict=True):
        difference = float((after[:, k] - before[:, k]).mean())
        clear = corrected < 1 - confidence
        changes.append(
            ClassChange(
                class_index=k,
                baseline_mean=float(before[:, k].mean()),
                augmented_mean=float(after[:, k].mean()),
                difference=difference,
                p=raw,
                p_holm=corrected,
                direction=("better" if difference > 0 else "worse") if clear else "no clear change",
            )
        )
    return tuple(changes)


def holm(p: Scores) -> NDArray[np.float64]:
    """Step-down corrected p values (M,), each in 0..1 and at least the raw one (Holm 1979)."""
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(stepped, 1.0)
    return corrected


def _verdict(ci: tuple[float, float] | None, count: int, smallest_effect: float) -> Verdict:
    if ci is None or count < FEWEST_SEEDS:
        return "not enough evidence"
    if ci[0] > 0:
        return "helped"
    if ci[1] < smallest_effect or ci[1] <= 0:
        return "did not help"
    return "not enough evidence"


def _t_interval(mean: float, spread: float, count: int, confidence: float) -> tuple[float, float]:
    """mean -+ t * spread / sqrt(count), with count - 1 degrees of freedom."""
    from scipy.stats import t

    half = float(t.ppf((1 + confidence) / 2, count - 1)) * spread / math.sqrt(count)
    return mean - half, mean + half


def _bootstrap(
    differences: NDArray[np.float64], confidence: float, resamples: int, seed: int
) -> tuple[float, float]:
    """Percentile interval of the mean difference over resampled pairs (Efron 1979)."""
    rng = np.random.default_rng(seed)
    means = rng.choice(differences, (resamples, len(differences))).mean(1)
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def _seeds_needed(
    mean: float, spread: float, count: int, confidence: float, smallest_effect: float
) -> int | None:
    """Seeds for a verdict with a chance of 80%, should the true mean and spread be those seen."""
    if count < 2:
        return FEWEST_SEEDS
    # Either verdict will do: the distance of the mean from 0 above, or from the smallest effect below.
    distance = max(mean, smallest_effect - mean)
    if distance <= 0:
        return None
    from scipy.stats import t

    seeds = np.arange(max(FEWEST_SEEDS, count + 1), MOST_SEEDS + 1)
    quantiles = t.ppf((1 + confidence) / 2, seeds - 1) + t.ppf(POWER, seeds - 1)
    enough = quantiles * spread / np.sqrt(seeds) <= distance
    return int(seeds[enough.argmax()]) if enough.any() else None


def _paired_p(differences: NDArray[np.float64]) -> float:
    """Two-sided p of mean = 0 (Student 1908); 1 for one run or no change, 0 for one same change in all."""
    count, mean = len(differences), float(differences.mean())
    if count < 2 or mean == 0:
        return 1.0
    spread = float(differences.std(ddof=1))
    if spread == 0:
        return 0.0
    from scipy.stats import t

    return float(2 * t.sf(abs(mean) / (spread / math.sqrt(count)), count - 1))


def _check(baseline: NDArray[np.float64], augmented: NDArray[np.float64], ndim: int) -> None:
    if baseline.shape != augmented.shape or baseline.ndim != ndim or not len(baseline):
        raise ValueError(
            f"both sides need the same runs, one or more, not {baseline.shape} and {augmented.shape}"
        )
    if ndim == 1 and not (np.isfinite(baseline).all() and np.isfinite(augmented).all()):
        raise ValueError("every run needs a finite score")
