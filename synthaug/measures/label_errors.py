"""Which labels are likely wrong: confident learning (Northcutt, Jiang & Chuang 2021)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Probs = NDArray[np.floating[Any]]
Labels = NDArray[np.integer[Any]]


def class_thresholds(labels: Labels, probs: Probs) -> NDArray[np.float64]:
    """Mean probability (K,) of each class over the rows that carry its label; 1 for a class without labels."""
    counts = np.bincount(labels, minlength=probs.shape[1])
    sums = np.bincount(labels, weights=probs[np.arange(len(labels)), labels], minlength=probs.shape[1])
    return np.where(counts == 0, 1.0, sums / np.maximum(counts, 1))


def label_errors(labels: Labels, probs: Probs) -> NDArray[np.bool_]:
    """Whether each label (N,) is likely wrong, from out-of-fold probabilities (N, K).

    A row confidently belongs to a class when the probability of that class reaches its mean over the rows that carry
    that label; of several such classes the most probable one counts. The label is in doubt when this class differs
    from it and the label is not the most probable class either.
    """
    confident = probs >= class_thresholds(labels, probs) - 1e-6
    guess = np.where(confident, probs, -np.inf).argmax(1)
    wrong: NDArray[np.bool_] = confident.any(1) & (guess != labels) & (probs.argmax(1) != labels)
    return wrong


def label_quality(labels: Labels, probs: Probs) -> NDArray[np.float64]:
    """Normalised margin (N,), (p_label - largest other p + 1) / 2, in 0..1; lower = more likely wrong."""
    rows = np.arange(len(labels))
    others = probs.astype(np.float64).copy()
    others[rows, labels] = -np.inf
    quality: NDArray[np.float64] = (probs[rows, labels] - others.max(1) + 1) / 2
    return quality
