"""Acquisition functions: which images are worth a label. All scores: higher = label first.

Each function takes class probabilities ``probs``, (N, K) or (T, N, K) for T Monte Carlo dropout passes, which are
averaged into the mean posterior; each row sums to 1. It returns (N,) float64. Monte Carlo passes are processed in
blocks of images, so that a pool of 100,000 needs little more memory than its probabilities. All raise ValueError for
probabilities of another shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Probs = NDArray[np.floating[Any]]
Scores = NDArray[np.float64]


def least_confidence(probs: Probs) -> Scores:
    """1 - max_k p_k, in 0 .. 1 - 1/K; higher = label first (Lewis & Gale 1994)."""
    scores: Scores = 1 - _posterior(probs).max(1)
    return scores


def margin(probs: Probs) -> Scores:
    """1 - (largest p - second largest p), in 0..1; higher = label first (Scheffer et al. 2001)."""
    second, first = np.sort(_posterior(probs), axis=1)[:, -2:].T
    scores: Scores = 1 - (first - second)
    return scores


def entropy(probs: Probs) -> Scores:
    """Predictive entropy -sum_k p_k ln p_k in nats, 0 .. ln K; higher = label first (Shannon 1948)."""
    return _entropy(_posterior(probs))


def bald(probs: Probs) -> Scores:
    """Mutual information of label and weights, H(mean p) - mean H(p), in nats; higher = label first.

    High where the passes disagree, not where all of them are unsure (Houlsby et al. 2011; Gal et al. 2017).
    """
    scores = np.empty(_checked(probs, "bald").shape[1])
    for rows in _blocks(probs):
        passes = probs[:, rows].astype(np.float64)
        scores[rows] = _entropy(passes.mean(0)) - _entropy(passes).mean(0)
    return np.maximum(scores, 0.0, out=scores)  # rounding can give slightly less than 0


def epig(probs: Probs, targets: Probs) -> Scores:
    """Expected predictive information gain, in nats; higher = label first (Bickford Smith et al. 2023).

    How much a label would tell about the predictions for ``targets`` (T, M, K'), made by the same T passes as
    ``probs`` (T, N, K): the mutual information of the two labels, averaged over the targets. BALD measures what a
    label tells about the weights, including those that no target depends on.
    """
    pool, targets = _checked(probs, "epig"), _checked(targets, "epig").astype(np.float64)
    if len(pool) != len(targets):
        raise ValueError(f"pool and targets need the same passes, not {len(pool)} and {len(targets)}")
    passes, target_count, target_classes = targets.shape
    flat = targets.reshape(passes, -1)  # (T, M K')
    marginal = targets.mean(0)  # (M, K')
    scores = np.empty(pool.shape[1])
    block = max(1, _BLOCK_ENTRIES // (pool.shape[2] * flat.shape[1]))
    for start in range(0, len(scores), block):
        rows = slice(start, start + block)
        block_probs = pool[:, rows].astype(np.float64)
        joint = np.einsum("tnk,tj->nkj", block_probs, flat, optimize=True) / passes
        joint = joint.reshape(len(joint), -1, target_count, target_classes)
        joint_entropy = -np.einsum("nkmj,nkmj->nm", joint, _log(joint))
        information = _entropy(block_probs.mean(0))[:, None] + _entropy(marginal) - joint_entropy
        scores[rows] = information.mean(1)
    return np.maximum(scores, 0.0, out=scores)


def posterior_of(probs: Probs, class_index: int) -> Scores:
    """Mean posterior of one class, in 0..1; higher = label first: images that most surely show that class.

    The active-learning paper calls it "maximum posterior".
    """
    scores: Scores = _posterior(probs)[:, class_index]
    return scores


def variation_ratio(probs: Probs) -> Scores:
    """Share of the T passes that do not vote for the most frequent class, in 0 .. 1 - 1/K; higher = label first.

    Freeman (1965); Gal et al. (2017).
    """
    passes = _checked(probs, "variation_ratio")
    votes = passes.argmax(2)  # (T, N)
    counts = (votes[:, :, None] == np.arange(passes.shape[2])).sum(0)
    scores: Scores = 1 - counts.max(1) / len(passes)
    return scores


ACQUISITIONS: dict[str, Callable[[Probs], Scores]] = {
    "least_confidence": least_confidence,
    "margin": margin,
    "entropy": entropy,
    "bald": bald,
    "variation_ratio": variation_ratio,
}
"""Acquisition functions by name. The last two need Monte Carlo passes (T, N, K)."""


_BLOCK_ENTRIES = 2**22
"""Numbers held in memory at once: 32 MiB as float64."""

_CACHED_ENTRIES = 2**17
"""Numbers that stay in the processor's cache, 1 MiB as float64: entropies of more take three times as long."""


def _posterior(probs: Probs) -> Scores:
    """Mean posterior (N, K); raises ValueError for another shape or a single class."""
    if probs.ndim not in (2, 3) or probs.shape[-1] < 2:
        raise ValueError(f"probs must be (N, K) or (T, N, K) with two classes or more, not {probs.shape}")
    return probs.mean(0, dtype=np.float64) if probs.ndim == 3 else probs.astype(np.float64)


def _checked(probs: Probs, name: str) -> Probs:
    """The Monte Carlo passes (T, N, K) themselves; raises ValueError for another shape."""
    if probs.ndim != 3 or not len(probs) or probs.shape[-1] < 2:
        raise ValueError(f"{name} needs Monte Carlo passes (T, N, K), not {probs.shape}")
    return probs


def _blocks(probs: Probs) -> Iterator[slice]:
    """Slices over the N images of passes (T, N, K), each of them small enough for the processor's cache as float64."""
    step = max(1, _CACHED_ENTRIES // (probs.shape[0] * probs.shape[2]))
    for start in range(0, probs.shape[1], step):
        yield slice(start, start + step)


def _entropy(p: Scores) -> Scores:
    """Entropy over the last axis, in nats."""
    # einsum, because numpy's sum over a short last axis takes as long as the logarithms.
    result: Scores = -np.einsum("...k,...k->...", p, _log(p))
    return result


def _log(p: Scores) -> Scores:
    """ln p, finite where p = 0, so that 0 ln 0 = 0."""
    return np.log(np.maximum(p, np.finfo(np.float64).tiny))
