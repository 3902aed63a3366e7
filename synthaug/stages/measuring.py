"""Metrics of one classifier on the frozen test set, as JSON: shares in 0..1, or None where undefined."""

from __future__ import annotations

from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from synthaug.measures import metrics
from synthaug.measures.ranking import one_vs_rest_auc, prior_matched


class ConfusionMetrics(TypedDict):
    """Accuracy, recall of each of the K classes (None without test images), and the confusion matrix (K, K)."""

    accuracy: float
    per_class: list[float | None]
    confusion: list[list[int]]


class ClassifierMetrics(ConfusionMetrics):
    """What is stored for a training run; see :func:`classifier_metrics`."""

    auc: list[float | None]
    macro_auc: float | None
    matched_accuracy: float
    test_images: int


def classifier_metrics(log_probs: NDArray[np.float32], labels: NDArray[np.int64]) -> ClassifierMetrics:
    """Metrics of log probabilities (N, K) and labels (N,): accuracy, recall and AUC of each class, and more.

    "matched_accuracy" is the accuracy after each class is made as probable as its share of the test set, with a bias
    fitted to the scores of the other half of the test images, without their labels (``ranking.prior_matched``).
    """
    classes = log_probs.shape[1]
    confusion = metrics.confusion_matrix(labels, log_probs.argmax(axis=1), classes)
    areas = one_vs_rest_auc(log_probs, labels)
    shares = np.bincount(labels, minlength=classes) / len(labels)
    return {
        **confusion_metrics(confusion),
        "auc": _nullable(areas),
        "macro_auc": None if np.isnan(areas).all() else float(np.nanmean(areas)),
        "matched_accuracy": metrics.accuracy(labels, prior_matched(log_probs, shares)),
        "test_images": len(labels),
    }


def confusion_metrics(confusion: NDArray[np.int64]) -> ConfusionMetrics:
    """Accuracy and recall of each class from a confusion matrix (K, K), rows = true class, and the matrix itself."""
    images = confusion.sum(1)
    recall = np.full(len(images), np.nan)
    np.divide(confusion.diagonal(), images, out=recall, where=images > 0)
    return {
        "accuracy": float(np.trace(confusion) / confusion.sum()),
        "per_class": _nullable(recall),
        "confusion": confusion.tolist(),
    }


def _nullable(values: NDArray[np.float64]) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in values]
