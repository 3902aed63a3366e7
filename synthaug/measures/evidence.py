"""Did the synthetic images help? A paired comparison of two training sets over seeds.

Run s has the same seed and the same real test set on both sides, so the analysis is of the paired differences. The
verdict rests on Student's t interval for their mean. That interval covers the variation between training runs on
this one test set; ``crossed`` adds the variation between test images.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.floating[Any]]
Verdict = Literal["helped", "harmed", "no worthwhile difference", "not enough evidence"]

FEWEST_SEEDS = 3  # with fewer there is no verdict: two differences say too little about the spread
MOST_SEEDS = 1000  # "seeds needed" beyond this is reported as None
POWER = 0.8  # the chance of reaching a verdict that "seeds needed" is computed for
CONFIDENCE = 0.95  # of all looks at one question together
SMALLEST_EFFECT = 0.005  # smallest difference worth having, as a share: half a point of accuracy
SPENT = 0.8  # share of the remaining error rate that each look may spend


@dataclass(frozen=True, slots=True)
class Evidence:
    """The outcome of ``paired_comparison``; scores keep the unit they came in (accuracy: 0..1)."""

    seeds: int
    baseline_mean: float
    augmented_mean: float
    difference: float  # augmented - baseline, mean over seeds
    spread: float  # standard deviation of the differences, 0 for one seed
    ci: tuple[float, float] | None  # t interval of the difference; None for one seed
    bootstrap: tuple[float, float] | None  # BCa interval of the same
    look: int  # 1 = the first number of seeds with which this question was asked, 2 = the next
    confidence: float  # of both intervals, as the look allows
    smallest_effect: float
    verdict: Verdict
    seeds_needed: int | None  # when there is not enough evidence: how many seeds would probably settle it


def look_confidence(look: int, confidence: float = CONFIDENCE) -> float:
    """Confidence of the k-th look (1, 2, ...) at one question, so that all looks together have ``confidence``.

    Each look spends four fifths of the error rate that earlier looks left: 0.04, 0.008, 0.0016 ... of 0.05, never
    more than 0.05 in total (alpha spending, Lan and DeMets 1983, as a Bonferroni bound over any number of looks).
    The bound is proven for numbers of seeds fixed in advance; for a number chosen after the first look, simulations
    in the tests support it. Raises ValueError for a look below 1.
    """
    if look < 1:
        raise ValueError(f"looks are counted from 1, not {look}")
    return 1 - (1 - confidence) * SPENT * (1 - SPENT) ** (look - 1)


def paired_comparison(
    baseline: Sequence[float] | Scores,
    augmented: Sequence[float] | Scores,
    *,
    look: int = 1,
    confidence: float = CONFIDENCE,
    smallest_effect: float = SMALLEST_EFFECT,
    resolution: float = 0.0,
    resamples: int = 10_000,
    seed: int = 0,
) -> Evidence:
    """Compare the scores (S,) of S runs per side; run s has the same seed on both; higher score = better.

    The verdict follows from the interval at the confidence of the look; the first rule that applies counts:

    - fewer than 3 seeds: *not enough evidence*;
    - the interval lies within +- ``smallest_effect`` (in the unit of the scores): *no worthwhile difference*. These
      are two one-sided tests (Schuirmann 1987), each at half the error rate, as for the other verdicts;
    - the interval lies wholly above 0: *helped*; wholly below 0: *harmed*;
    - otherwise: *not enough evidence*.

    ``look`` is 1 for the first number of seeds with which this question is asked, 2 for the next, and so on.
    ``resolution`` is the smallest step of a score, 1 / number of test images for an accuracy; see ``floored``.
    Raises ValueError for sides of different lengths, scores that are not finite, or a negative ``smallest_effect``.
    """
    before, after = np.asarray(baseline, np.float64), np.asarray(augmented, np.float64)
    check_paired(before, after, 1)
    if smallest_effect < 0:
        raise ValueError(f"the smallest effect must be at least 0, not {smallest_effect}")
    differences = after - before
    count, mean = len(differences), float(differences.mean())
    spread = float(differences.std(ddof=1)) if count > 1 else 0.0
    level, error = look_confidence(look, confidence), float(floored(spread, resolution))
    ci = _t_interval(mean, error, count, level) if count > 1 else None
    verdict = verdict_of(ci, count, smallest_effect)
    undecided = verdict == "not enough evidence"
    following = look_confidence(look + 1 if count >= FEWEST_SEEDS else look, confidence)
    return Evidence(
        seeds=count,
        baseline_mean=float(before.mean()),
        augmented_mean=float(after.mean()),
        difference=mean,
        spread=spread,
        ci=ci,
        bootstrap=_bootstrap(differences, level, resamples, seed) if count > 1 else None,
        look=look,
        confidence=level,
        smallest_effect=smallest_effect,
        verdict=verdict,
        seeds_needed=seeds_needed(mean, error, count, following, smallest_effect) if undecided else None,
    )


def mean_interval(
    scores: Sequence[float] | Scores, *, confidence: float = CONFIDENCE
) -> tuple[float, float] | None:
    """Student's t interval of the mean of scores (S,), in their unit; None for a single score.

    Raises ValueError where there is no score or one is not finite.
    """
    values = np.asarray(scores, np.float64)
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise ValueError(f"scores must be one or more finite numbers, not {scores}")
    if len(values) == 1:
        return None
    return _t_interval(float(values.mean()), float(values.std(ddof=1)), len(values), confidence)


def floored(
    spread: float | NDArray[np.float64], resolution: float | NDArray[np.float64]
) -> NDArray[np.float64]:
    """The standard deviation of differences with the rounding error of two scores added in quadrature.

    Scores come in steps of ``resolution``, so a few of them may agree by chance; the difference of two rounding
    errors has a variance of resolution^2 / 6. Using this only as a lower bound of the spread would give 7% false
    alarms instead of 5%.
    """
    return np.asarray(np.sqrt(np.square(spread) + np.square(resolution) / 6), np.float64)


def verdict_of(ci: tuple[float, float] | None, count: int, smallest_effect: float) -> Verdict:
    """The verdict by the rules of ``paired_comparison`` for the interval from ``count`` seeds."""
    if ci is None or count < FEWEST_SEEDS:
        return "not enough evidence"
    if -smallest_effect <= ci[0] and ci[1] <= smallest_effect:
        return "no worthwhile difference"
    if ci[0] > 0:
        return "helped"
    return "harmed" if ci[1] < 0 else "not enough evidence"


def seeds_needed(
    mean: float, spread: float, count: int, confidence: float, smallest_effect: float
) -> int | None:
    """Seeds for an 80% chance of a verdict if the true mean and spread are the observed ones; None beyond 1000."""
    if count < 2:
        return FEWEST_SEEDS
    # Any verdict will do, so take the longer distance: to 0, or to the nearer bound of the negligible differences.
    distance = max(abs(mean), smallest_effect - abs(mean))
    if distance <= 0:
        return None
    reach = _reach(confidence)[max(0, count + 1 - FEWEST_SEEDS) :]
    enough = reach * spread <= distance
    return MOST_SEEDS + 1 - len(reach) + int(enough.argmax()) if enough.any() else None


def check_paired(baseline: NDArray[np.float64], augmented: NDArray[np.float64], ndim: int) -> None:
    """Raises ValueError unless both sides have the same runs and, for ``ndim`` 1, finite scores."""
    if baseline.shape != augmented.shape or baseline.ndim != ndim or not len(baseline):
        raise ValueError(
            f"both sides need the same runs, one or more, not {baseline.shape} and {augmented.shape}"
        )
    if ndim == 1 and not (np.isfinite(baseline).all() and np.isfinite(augmented).all()):
        raise ValueError("every run needs a finite score")


@lru_cache(maxsize=8)
def _reach(confidence: float) -> NDArray[np.float64]:
    """Smallest detectable differences, in standard deviations, for 3, 4 ... 1000 seeds at a power of 80%."""
    from scipy.stats import t

    seeds = np.arange(FEWEST_SEEDS, MOST_SEEDS + 1)
    quantiles = t.ppf((1 + confidence) / 2, seeds - 1) + t.ppf(POWER, seeds - 1)
    return np.asarray(quantiles / np.sqrt(seeds), np.float64)


def _t_interval(mean: float, spread: float, count: int, confidence: float) -> tuple[float, float]:
    """mean +- t * spread / sqrt(count), with count - 1 degrees of freedom."""
    from scipy.stats import t

    half = float(t.ppf((1 + confidence) / 2, count - 1)) * spread / math.sqrt(count)
    return mean - half, mean + half


def _bootstrap(
    differences: NDArray[np.float64], confidence: float, resamples: int, seed: int
) -> tuple[float, float]:
    """BCa bootstrap interval of the mean difference over pairs (Efron 1987); too narrow with few seeds."""
    if np.ptp(differences) < 1e-12:
        return float(differences[0]), float(differences[0])
    from scipy.stats import bootstrap

    interval = bootstrap(
        (differences,),
        np.mean,
        n_resamples=resamples,
        confidence_level=confidence,
        method="BCa",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return float(interval.low), float(interval.high)
