"""Acquisition functions: which images are worth a label. All scores: higher = label first.

Each takes class probabilities ``probs``: (N, K), or (T, N, K) for T Monte Carlo passes with dropout on,
which are averaged to the mean posterior. Rows sum to 1. Each gives (N,) float64.
"""

from __future__ import annotations

from collections.abc import Callable
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

    What the passes disagree about, not what they all find unclear (Houlsby et al. 2011; Gal et al. 2017).
    """
    passes = _passes(probs, "bald")
    information = _entropy(passes.mean(0)) - _entropy(passes).mean(0)
    scores: Scores = np.maximum(information, 0.0)  # rounding can fall below 0
    return scores


def variation_ratio(probs: Probs) -> Scores:
    """Share of the T passes that do not vote for the commonest class, in 0 .. 1 - 1/K; higher = label first.

    Freeman 1965; Gal et al. 2017.
    """
    passes = _passes(probs, "variation_ratio")
    votes = passes.argmax(2)  # (T, N)
    counts = (votes[:, :, None] == np.arange(passes.shape[2])).sum(0)
    scores: Scores = 1 - counts.max(1) / len(passes)
    return scores


def disagreement_with_prompt(probs: Probs, prompted: NDArray[np.integer[Any]]) -> Scores:
    """1 - p of the class the image was prompted for, ``prompted`` (N,), in 0..1; higher = label first."""
    posterior = _posterior(probs)
    scores: Scores = 1 - posterior[np.arange(len(posterior)), prompted]
    return scores


ACQUISITIONS: dict[str, Callable[[Probs], Scores]] = {
    "least_confidence": least_confidence,
    "margin": margin,
    "entropy": entropy,
    "bald": bald,
    "variation_ratio": variation_ratio,
}
"""By name. The last two need Monte Carlo passes (T, N, K)."""


def _posterior(probs: Probs) -> Scores:
    """Mean posterior (N, K)."""
    if probs.ndim not in (2, 3) or probs.shape[-1] < 2:
        raise ValueError(f"probs must be (N, K) or (T, N, K) with two classes or more, not {probs.shape}")
    exact = probs.astype(np.float64)
    return exact.mean(0) if exact.ndim == 3 else exact


def _passes(probs: Probs, name: str) -> Scores:
    """Monte Carlo passes (T, N, K)."""
    if probs.ndim != 3 or not len(probs) or probs.shape[-1] < 2:
        raise ValueError(f"{name} needs Monte Carlo passes (T, N, K), not {probs.shape}")
    return probs.astype(np.float64)


def _entropy(p: Scores) -> Scores:
    """Entropy in nats over the last axis, with 0 ln 0 = 0."""
    logs = np.log(p, out=np.zeros_like(p), where=p > 0)
    result: Scores = -(p * logs).sum(-1)
    return result
