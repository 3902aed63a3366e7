"""The optimizer of a recipe, and its learning rate at every step."""

from __future__ import annotations

import math

from torch import nn
from torch.optim import SGD, AdamW, Optimizer

from synthaug.classifiers.recipes import Recipe, Schedule


def make_optimizer(network: nn.Module, recipe: Recipe) -> Optimizer:
    """The recipe's optimizer over all that is to be trained; every group carries its ``peak_lr``."""
    norms = [each for each in network.modules() if isinstance(each, nn.BatchNorm2d)]
    shifts = {id(each.bias) for each in norms if recipe.shift_lr is not None}
    trained = [each for each in network.parameters() if each.requires_grad]
    rest = [each for each in trained if id(each) not in shifts]
    groups = [{"params": rest, "lr": recipe.lr, "peak_lr": recipe.lr}]
    if recipe.shift_lr is not None:
        moved = [each for each in trained if id(each) in shifts]
        # As much decay a step as the rest: SGD multiplies it by the learning rate.
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
    """Learning rate at ``step`` of ``steps`` as a share of the peak, 0..1; linear warm-up comes first."""
    if step < warmup:
        return (step + 1) / warmup
    done = (step - warmup) / max(1, steps - warmup)
    if schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * done))
    return 1 - done if schedule == "one-cycle" else 1.0
