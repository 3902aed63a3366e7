"""Variants of an arm that belong in every table: the free remedies for imbalance, and equal updates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import get_args

from synthaug.errors import UnknownName
from synthaug.experiments.base import Arm, Plan, Updates

EQUAL = (
    "Every arm is trained for as many updates as its recipe's epochs of the largest set, {images:,} images, take: "
    "smaller sets for more epochs."
)
EPOCHS = (
    "Each arm is trained for the epochs of its recipe, as published, so larger sets are trained for more updates; the "
    "baseline also for those of the largest set."
)


def class_weighted(arm: Arm) -> Arm:
    """The same images, each weighted in the loss by how rare its class is."""
    return replace(
        arm,
        name=f"{arm.name}-class-weighted",
        title=f"{arm.title}, class-weighted loss",
        recipe=replace(arm.recipe, loss="class-weighted"),
        published={},
    )


def logit_adjusted(arm: Arm) -> Arm:
    """The same images, the loss adjusted by the logarithm of the class frequencies (Menon et al. 2021)."""
    return replace(
        arm,
        name=f"{arm.name}-logit-adjusted",
        title=f"{arm.title}, logit-adjusted loss",
        recipe=replace(arm.recipe, loss="logit-adjusted"),
        published={},
    )


def equal_steps(arm: Arm, images: int) -> Arm:
    """The same images, trained for as many updates as ``images`` of them would be."""
    return replace(
        arm,
        name=f"{arm.name}-equal-steps",
        title=f"{arm.title}, trained for the steps of the largest set",
        recipe=arm.recipe.for_updates_of(images),
        published={},
    )


def with_updates(plan: Plan, images: Callable[[str], int]) -> Plan:
    """The plan with its arms trained as long as ``Plan.updates`` says; ``images``: the size of a view."""
    largest = max(images(arm.view) for arm in plan.arms)
    if all(images(arm.view) == largest for arm in plan.arms):
        return plan
    if plan.updates == "equal":
        arms = tuple(replace(arm, recipe=arm.recipe.for_updates_of(largest)) for arm in plan.arms)
        return replace(plan, arms=arms, notes=(*plan.notes, EQUAL.format(images=largest)))
    place = 1 + [arm.name for arm in plan.arms].index(plan.baseline)
    twin = equal_steps(plan.arms[place - 1], largest)
    return replace(plan, arms=(*plan.arms[:place], twin, *plan.arms[place:]), notes=(*plan.notes, EPOCHS))


def check_updates(updates: str) -> None:
    """Raises UnknownName."""
    if updates not in get_args(Updates):
        raise UnknownName("updates", updates, get_args(Updates))
