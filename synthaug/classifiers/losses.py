"""The losses that a training minimises, and the scores that judge its epochs."""

from __future__ import annotations

from typing import Literal, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from synthaug.classifiers.recipes import Recipe


class Objective(Protocol):
    """A loss to minimise over the training images, and a score that people understand."""

    measure: Literal["accuracy", "error"]  # what the score is, for the reports
    higher_is_better: bool
    outputs: int  # K, the number of outputs of the network's head
    targets: Tensor  # (N, ...), one row per training image

    def loss(self, outputs: Tensor, rows: Tensor) -> Tensor:
        """Mean loss of the network's outputs (B, K) for the training images ``rows`` (B,)."""

    def scores(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The score of each image (B,), from outputs (B, K) and targets (B, ...) of any set of images."""


class Classification:
    """Cross-entropy in the variant that the recipe chooses, judged by accuracy."""

    measure: Literal["accuracy", "error"] = "accuracy"
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
        """Weighted mean cross-entropy of the logits, adjusted if the recipe asks for it (Menon et al. 2021).

        Label smoothing spreads a share of each label over the classes: evenly, or, with adjusted logits, in proportion
        to their frequency. Spread evenly, a class with one image in a thousand would have to be predicted twenty times
        as often as it occurs while the logits are adjusted, and nearly every prediction, made without the adjustment,
        would be that class.
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
        """1.0 for each image (B,) whose largest unadjusted logit is that of its class, else 0.0."""
        return (outputs.argmax(1) == targets).float()


def balanced(weights: Tensor, labels: Tensor, totals: Tensor) -> Tensor:
    """Weights (N,) of mean 1 with the same sum for each class present; ``totals`` (K,) are the current sums."""
    shares = weights / totals[labels].clamp_min(torch.finfo(totals.dtype).tiny)
    return shares / shares.mean()


def log_prior(totals: Tensor) -> Tensor:
    """The logarithm of each class's share (K,); a class without images counts as one image, to stay finite."""
    counts = totals.where(totals > 0, 1.0)
    return (counts / counts.sum()).log()
