"""Metrics of classifiers and regressors, and the agreement of readers. Labels (N,) are class indices 0 .. K-1."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.integer[Any]]
Numbers = NDArray[np.floating[Any]]


def accuracy(labels: Labels, predictions: Labels) -> float:
    """Share of correct predictions, in 0..1; higher = better. NaN without images."""
    _check_pair(labels, predictions)
    return float(np.mean(labels == predictions)) if len(labels) else float("nan")


def confusion_matrix(labels: Labels, predictions: Labels, num_classes: int) -> NDArray[np.int64]:
    """Counts (K, K): row = true class, column = predicted class. Raises ValueError for an index outside 0 .. K-1."""
    _check_pair(labels, predictions)
    both = np.concatenate([labels, predictions])
    if len(both) and not 0 <= both.min() <= both.max() < num_classes:
        raise ValueError(f"classes must lie in 0..{num_classes - 1}, not {both.min()}..{both.max()}")
    pairs = labels.astype(np.int64) * num_classes + predictions
    return np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)


def expected_calibration_error(probs: NDArray[np.floating[Any]], labels: Labels, bins: int = 15) -> float:
    """Mean of |accuracy - confidence| over equal-width bins of confidence, in 0..1; lower = better.

    ``probs`` is (N, K); bins are weighted by their share of the images (Guo et al. 2017). NaN without images.
    """
    if not len(probs):
        return float("nan")
    confidence = probs.max(1).astype(np.float64)
    correct = (probs.argmax(1) == labels).astype(np.float64)
    bin_of = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    gaps = np.bincount(bin_of, weights=correct - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(probs))


def _check_pair(first: Labels, second: Labels) -> None:
    if first.ndim != 1 or first.shape != second.shape:
        raise ValueError(f"both label arrays need the same shape (N,), not {first.shape} and {second.shape}")


def mean_absolute_error(truth: Numbers, predicted: Numbers) -> float:
    """Mean of |predicted - truth| over two arrays of the same shape, in their unit; lower = better."""
    _check_numbers(truth, predicted)
    return float(np.abs(predicted - truth).mean())


def pearson(truth: Numbers, predicted: Numbers) -> float:
    """Pearson's linear correlation of two arrays (N,), in -1..1; NaN where one of them is constant."""
    _check_numbers(truth, predicted)
    first, second = (np.asarray(each, np.float64) - np.mean(each) for each in (truth, predicted))
    norm = np.sqrt((first**2).sum() * (second**2).sum())
    return float((first * second).sum() / norm) if norm > 0 else math.nan


def spearman(truth: Numbers, predicted: Numbers) -> float:
    """Spearman's rank correlation of two arrays (N,), ties at their mean rank, in -1..1; NaN where one is constant."""
    from scipy.stats import rankdata

    _check_numbers(truth, predicted)
    return pearson(rankdata(truth), rankdata(predicted))


def _check_numbers(truth: Numbers, predicted: Numbers) -> None:
    if np.shape(truth) != np.shape(predicted) or not np.size(truth):
        raise ValueError(
            "both arrays need the same shape and at least one value, "
            f"not the shapes {np.shape(truth)} and {np.shape(predicted)}"
        )
