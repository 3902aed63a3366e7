"""The optimizer of a recipe, and its learning rate at every step."""

from __future__ import annotations

import math

from torch import nn
from torch.optim import SGD, AdamW, Optimizer

from synthaug.classifiers.recipes import Recipe, Schedule


def make_optimizer(network: nn.Module, recipe: Recipe) -> Optimizer:
    """The recipe's optimizer over all parameters."""
    if recipe.optimizer == "adamw":
        betas = (recipe.momentum, 0.999)
        return AdamW(network.parameters(), recipe.lr, betas=betas, weight_decay=recipe.weight_decay)
    return SGD(network.parameters(), recipe.lr, recipe.momentum, weight_decay=recipe.weight_decay)


def lr_factor(schedule: Schedule, step: int, steps: int, warmup: int) -> float:
    """Learning rate at ``step`` of ``steps`` as a share of the peak, 0..1; linear warm-up comes first."""
    if step < warmup:
        return (step + 1) / warmup
    done = (step - warmup) / max(1, steps - warmup)
    if schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * done))
    return 1 - done if schedule == "one-cycle" else 1.0
