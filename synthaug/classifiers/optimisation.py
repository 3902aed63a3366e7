"""The optimizer of a recipe, and the learning rate at each step."""

from __future__ import annotations

import math

from torch import nn
from torch.optim import SGD, AdamW, Optimizer

from synthaug.classifiers.recipes import Recipe, Schedule


def make_optimizer(network: nn.Module, recipe: Recipe) -> Optimizer:
    """The recipe's optimizer of all trainable parameters; every parameter group has its ``peak_lr``."""
    norms = [each for each in network.modules() if isinstance(each, nn.BatchNorm2d)]
    shifts = {id(each.bias) for each in norms if recipe.shift_lr is not None}
    trained = [each for each in network.parameters() if each.requires_grad]
    rest = [each for each in trained if id(each) not in shifts]
    groups = [{"params": rest, "lr": recipe.lr, "peak_lr": recipe.lr}]
    if recipe.shift_lr is not None:
        moved = [each for each in trained if id(each) in shifts]
        # SGD multiplies the decay by the learning rate; this makes it as strong as that of the other parameters.
        decay = recipe.weight_decay * recipe.lr / recipe.shift_lr
        groups.append(
            {"params": moved, "lr": recipe.shift_lr, "peak_lr": recipe.shift_lr, "weight_decay": decay}
        )
    if recipe.optimizer == "adamw":
        betas = (recipe.momentum, 0.999)
        return AdamW(groups, recipe.lr, betas=betas, weight_decay=recipe.weight_decay)
    return SGD(
        groups,
        recipe.lr,
        recipe.momentum,
        weight_decay=recipe.weight_decay,
        nesterov=recipe.nesterov,
    )


def lr_factor(schedule: Schedule, step: int, steps: int, warmup: int) -> float:
    """Learning rate at ``step`` (from 0) of ``steps`` as a share of the peak, 0..1; it begins with a linear warm-up."""
    if step < warmup:
        return (step + 1) / warmup
    done = (step - warmup) / max(1, steps - warmup)
    if schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * done))
    return 1 - done if schedule == "one-cycle" else 1.0
