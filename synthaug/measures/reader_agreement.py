"""Agreement of readers beyond chance: kappa and alpha of nominal answers, intraclass correlation of measurements.

Every coefficient is at most 1 (complete agreement); 0 is agreement by chance, and below 0 readers agree less often than
by chance. If all answers are the same class, kappa and alpha are not defined and NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.integer[Any]]
Counts = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]

CONFIDENCE = 0.95
RESAMPLES = 2000
WEIGHTS_AT_ONCE = 4_000_000  # numbers in one block of resamples


@dataclass(frozen=True, slots=True)
class Estimate:
    """A coefficient with its confidence interval; NaN if it is not defined."""

    value: float
    low: float
    high: float


UNDEFINED = Estimate(np.nan, np.nan, np.nan)


def cohen_kappa(table: Counts, *, confidence: float = CONFIDENCE) -> Estimate:
    """Cohen's kappa (1960) of two readers from counts (K, K) of their answers; rows are those of the first reader.

    The interval is that of Fleiss, Cohen and Everitt (1969) for large samples, clipped to -1 .. 1.
    """
    from scipy.stats import norm

    total = table.sum()
    if total == 0:
        return UNDEFINED
    shares = table / total
    rows, columns = shares.sum(1), shares.sum(0)
    chance = float(rows @ columns)
    if chance >= 1:
        return UNDEFINED
    kappa = (float(np.trace(shares)) - chance) / (1 - chance)
    agreed = np.diag(shares) * (1 - (rows + columns) * (1 - kappa)) ** 2
    crossed = shares * (columns[:, None] + rows[None, :]) ** 2
    np.fill_diagonal(crossed, 0)
    spread = agreed.sum() + (1 - kappa) ** 2 * crossed.sum() - (kappa - chance * (1 - kappa)) ** 2
    error = np.sqrt(max(0.0, spread) / total) / (1 - chance)
    half = float(norm.ppf((1 + confidence) / 2)) * error
    return Estimate(kappa, max(-1.0, kappa - half), min(1.0, kappa + half))


def fleiss_kappa(counts: Counts, *, confidence: float = CONFIDENCE, seed: int = 0) -> Estimate:
    """Fleiss' kappa (1971) from counts (N, K) of answers, for any number of readers per image, who may be any people.

    Where these numbers differ, every image has the same weight, as in Gwet (2014, Handbook of Inter-Rater Reliability).
    Images with fewer than two readers are left out. The interval is a percentile bootstrap over images.
    """
    rows, images = _distinct(counts)
    if not len(rows):
        return UNDEFINED
    readers = rows.sum(1)
    agreed = ((rows * rows).sum(1) - readers) / (readers * (readers - 1))
    shares = rows / readers[:, None]

    def kappa(weights: Floats) -> Floats:
        chance = np.square(weights @ shares / images.sum()).sum(1)
        return _beyond_chance(weights @ agreed / images.sum(), chance)

    return _bootstrapped(kappa, images, confidence, seed)


def krippendorff_alpha(counts: Counts, *, confidence: float = CONFIDENCE, seed: int = 0) -> Estimate:
    """Krippendorff's alpha (1970) of nominal answers from counts (N, K), for any number of readers per image.

    Images with fewer than two readers are left out. The interval is a percentile bootstrap over images.
    """
    rows, images = _distinct(counts)
    if not len(rows):
        return UNDEFINED
    readers = rows.sum(1)
    differing = (readers**2 - (rows * rows).sum(1)) / (readers - 1)

    def alpha(weights: Floats) -> Floats:
        totals = weights @ rows
        answers = totals.sum(1)
        expected = (answers**2 - np.square(totals).sum(1)) / (answers - 1)
        return _beyond_chance(1 - weights @ differing / answers, 1 - expected / answers)

    return _bootstrapped(alpha, images, confidence, seed)


def intraclass_correlation(values: NDArray[np.floating[Any]], *, confidence: float = CONFIDENCE) -> Estimate:
    """ICC(2,1) of measurements (N images, K readers): the absolute agreement of single readers drawn at random.

    This is case 2 of Shrout and Fleiss (1979), with their interval. Raises ValueError for fewer than 2 images or
    readers.
    """
    from scipy.stats import f

    images, readers = values.shape
    if images < 2 or readers < 2:
        raise ValueError(f"at least 2 images and 2 readers are needed, not {images} and {readers}")
    mean = values.mean()
    if np.allclose(values, mean, rtol=1e-9, atol=0):
        return UNDEFINED  # nothing differs but by rounding
    between = readers * np.square(values.mean(1) - mean).sum() / (images - 1)
    judges = images * np.square(values.mean(0) - mean).sum() / (readers - 1)
    rest = values - values.mean(1, keepdims=True) - values.mean(0, keepdims=True) + mean
    error = np.square(rest).sum() / ((images - 1) * (readers - 1))
    whole = between + (readers - 1) * error + readers * (judges - error) / images
    if whole <= 0 or error <= 0:
        return Estimate(1.0, 1.0, 1.0) if between > 0 and judges <= 0 else UNDEFINED
    icc = (between - error) / whole
    ratio = judges / error
    inner = images * (1 + (readers - 1) * icc) - readers * icc
    freedom = ((readers - 1) * (images - 1) * (readers * icc * ratio + inner) ** 2) / (
        (images - 1) * (readers * icc * ratio) ** 2 + inner**2
    )
    upper = float(f.ppf((1 + confidence) / 2, images - 1, freedom))
    lower = float(f.ppf((1 + confidence) / 2, freedom, images - 1))
    noise = readers * judges + (readers * images - readers - images) * error
    low = images * (between - upper * error) / (upper * noise + images * between)
    high = images * (lower * between - error) / (noise + images * lower * between)
    return Estimate(float(icc), float(low), float(high))


def _beyond_chance(agreed: Floats, chance: Floats) -> Floats:
    room = 1 - chance
    return np.divide(agreed - chance, room, out=np.full_like(room, np.nan), where=room > 1e-12)


def _distinct(counts: Counts) -> tuple[Counts, NDArray[np.int64]]:
    """The distinct rows (D, K) of counts with at least two readers, and the number of images (D,) of each.

    They are in the order of the images, so that the bootstrap does not depend on the order of the classes.
    """
    compared = counts[counts.sum(1) >= 2]
    _, first, images = np.unique(compared, axis=0, return_index=True, return_counts=True)
    order = np.argsort(first)
    return compared[first[order]], images[order].astype(np.int64)


def _bootstrapped(
    coefficient: Callable[[Floats], Floats], images: NDArray[np.int64], confidence: float, seed: int
) -> Estimate:
    """A coefficient, as a function of the images (B, D) of each distinct row, with its bootstrap interval.

    Images with equal rows are drawn together: the distribution is that of drawing each image, at a cost that does not
    grow with their number.
    """
    value = float(coefficient(images[None, :].astype(np.float64))[0])
    if np.isnan(value):
        return UNDEFINED
    rng = np.random.default_rng(seed)
    block = max(1, WEIGHTS_AT_ONCE // len(images))
    sizes = [min(block, RESAMPLES - start) for start in range(0, RESAMPLES, block)]
    total, shares = images.sum(), images / images.sum()
    drawn = [coefficient(rng.multinomial(total, shares, size).astype(np.float64)) for size in sizes]
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(np.concatenate(drawn), [tail, 1 - tail])
    return Estimate(value, float(low), float(high))
