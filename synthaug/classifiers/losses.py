"""What a training minimises, and what its epochs are judged by."""

from __future__ import annotations

from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from synthaug.classifiers.recipes import Recipe


class Objective(Protocol):
    """A loss to minimise over the training images, and a score in words people use."""

    measure: str  # what the score is, for the reports: "accuracy"
    higher_is_better: bool
    outputs: int  # K, of the network's head
    targets: Tensor  # (N, ...), a row for each training image

    def loss(self, outputs: Tensor, rows: Tensor) -> Tensor:
        """Mean loss of the network's outputs (B, K) for the training images ``rows`` (B,)."""

    def scores(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The score of each image (B,), whatever set it is from."""


class Classification:
    """Cross-entropy as the recipe says it, judged by the share of right answers."""

    measure = "accuracy"
    higher_is_better = True

    def __init__(self, labels: Tensor, weights: Tensor, num_classes: int, recipe: Recipe) -> None:
        """``labels`` (N,) int64 and ``weights`` (N,) of mean 1, both on the device of the training."""
        self.targets = labels
        self.outputs = num_classes
        self.smoothing = recipe.label_smoothing
        totals = weights.new_zeros(num_classes).index_add_(0, labels, weights)
        self.weights = balanced(weights, labels, totals) if recipe.loss == "class-weighted" else weights
        self.prior = log_prior(totals) if recipe.loss == "logit-adjusted" else None

    def loss(self, outputs: Tensor, rows: Tensor) -> Tensor:
        """Weighted mean cross-entropy of the logits, adjusted where the recipe says so (Menon et al. 2021).

        Smoothed labels give a share to every class alike; with adjusted logits, to every class as it is frequent.
        Alike, a class of one image in a thousand would have to be predicted twenty times as often as it is seen, and
        without the adjustment, in prediction, everything would be taken for it.
        """
        targets = self.targets[rows]
        if self.prior is None:
            losses = F.cross_entropy(outputs, targets, reduction="none", label_smoothing=self.smoothing)
        else:
            log_probs = (outputs + self.prior).log_softmax(1)
            true = log_probs.gather(1, targets[:, None])[:, 0]
            losses = -(1 - self.smoothing) * true - self.smoothing * (log_probs @ self.prior.exp())
        return (losses * self.weights[rows]).mean()

    def scores(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """1.0 where the largest logit, unadjusted, is the target's."""
        return (outputs.argmax(1) == targets).float()


def balanced(weights: Tensor, labels: Tensor, totals: Tensor) -> Tensor:
    """Weights (N,) of mean 1 whose sum is the same for each class present; ``totals`` (K,) are the sums now."""
    shares = weights / totals[labels].clamp_min(torch.finfo(totals.dtype).tiny)
    return shares / shares.mean()


def log_prior(totals: Tensor) -> Tensor:
    """Log of each class's share (K,); a class without images counts as one image, so that it stays finite."""
    counts = totals.where(totals > 0, 1.0)
    return (counts / counts.sum()).log()
