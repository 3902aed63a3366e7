"""Two training sets compared image by image: both the seeds and the test images are samples.

Correctness (S, N) bool of S runs on N test images, run s of both sides with the same seed. Seeds and images are
crossed, as readers and cases are in radiology's studies of many readers and many cases.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthaug.measures.evidence import CONFIDENCE

Correct = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class McNemar:
    """One seed: images that only one of the two runs named right."""

    gained: int  # wrong in the baseline, right in the augmented run
    lost: int
    p: float  # exact, two-sided


def crossed_interval(
    baseline: Correct, augmented: Correct, *, confidence: float = CONFIDENCE
) -> tuple[float, float] | None:
    """Interval of the mean difference of accuracy for other seeds **and** other test images; None for one seed.

    The variance is that of two crossed random effects without bias, (MS_seeds + MS_images - MS_rest) / (S N)
    (Dorfman, Berbaum and Metz 1992), its image part never below 0. Degrees of freedom S - 1: on the safe side, for
    Hillis's (2007), which are more, cover 92 to 94% instead of 95% at three seeds (simulated in the tests). So it
    is never narrower than the t interval over seeds.
    """
    from scipy.stats import t

    change = _changes(baseline, augmented)
    seeds, images = change.shape
    if seeds < 2:
        return None
    if images < 2:
        raise ValueError("an interval over test images needs two or more of them")
    mean, by_seed, by_image = change.mean(), change.mean(1), change.mean(0)
    seed_square, image_square = images * by_seed.var(ddof=1), seeds * by_image.var(ddof=1)
    explained = (seeds - 1) * seed_square + (images - 1) * image_square
    rest = max(float(np.square(change - mean).sum()) - explained, 0.0) / ((seeds - 1) * (images - 1))
    variance = (seed_square + max(image_square - rest, 0.0)) / (seeds * images) + _rounding(seeds, images)
    half = float(t.ppf((1 + confidence) / 2, seeds - 1) * np.sqrt(variance))
    return float(mean) - half, float(mean) + half


def mcnemar(baseline: Correct, augmented: Correct) -> tuple[McNemar, ...]:
    """McNemar's exact test (1947) of each seed: is one run better than the other on images like these?"""
    from scipy.stats import binomtest

    change = _changes(baseline, augmented)
    found = []
    for gained, lost in zip((change > 0).sum(1).tolist(), (change < 0).sum(1).tolist(), strict=True):
        p = float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0
        found.append(McNemar(gained, lost, p))
    return tuple(found)


def _changes(baseline: Correct, augmented: Correct) -> NDArray[np.float64]:
    """+1, 0 or -1 (S, N): what the augmented run made of each image."""
    if baseline.shape != augmented.shape or baseline.ndim != 2 or not baseline.size:
        raise ValueError(
            f"both sides need the same runs and images (S, N), not {baseline.shape} and {augmented.shape}"
        )
    return augmented.astype(np.float64) - baseline.astype(np.float64)


def _rounding(seeds: int, images: int) -> float:
    """Variance of the mean of S differences of two shares of N images, from their rounding alone."""
    return 1 / (6 * images**2 * seeds)
