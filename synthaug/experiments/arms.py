"""Variants of an arm: remedies without new images, other uses of synthetic images, and equal numbers of steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import get_args

from synthaug.classifiers.recipes import Recipe
from synthaug.errors import UnknownName
from synthaug.experiments.base import Arm, Plan, Updates

EQUAL = (
    "Every arm is trained for the same number of steps, which is what its recipe takes on the largest set "
    "({images:,} images); smaller sets are therefore trained for more epochs."
)
EPOCHS = (
    "Each arm is trained for the epochs of its recipe, as published, so larger sets are trained for more steps. An "
    "additional arm trains the baseline for the steps of the largest set."
)


def class_weighted(arm: Arm) -> Arm:
    """The same arm with a loss that weights images by the rarity of their class."""
    return _variant(arm, "class-weighted", "class-weighted loss", replace(arm.recipe, loss="class-weighted"))


def logit_adjusted(arm: Arm) -> Arm:
    """The same arm with logits adjusted by the logarithm of the class frequencies (Menon et al. 2021)."""
    return _variant(arm, "logit-adjusted", "logit-adjusted loss", replace(arm.recipe, loss="logit-adjusted"))


def real_last(arm: Arm) -> Arm:
    """The same arm, whose last quarter of the epochs sees real images only."""
    return _variant(arm, "real-last", "real images last", replace(arm.recipe, synthetic="first"))


def head_refitted(arm: Arm) -> Arm:
    """The same arm, whose head is finally fitted to the real images alone, with equal weight for every class."""
    title = "head refitted to the real images"
    return _variant(arm, "head-refitted", title, replace(arm.recipe, synthetic="body"))


def features_drawn(arm: Arm) -> Arm:
    """The same arm, whose rare classes are filled up with features drawn from a model of the arm's own features."""
    title = "features drawn by a diffusion model of its own features"
    recipe = replace(arm.recipe, drawn_features=True)
    return replace(_variant(arm, "features-drawn", title, recipe), generator_data="view")


def equal_steps(arm: Arm, images: int) -> Arm:
    """The same arm, trained for the number of steps that a set of ``images`` images takes."""
    title = "trained for the steps of the largest set"
    return _variant(arm, "equal-steps", title, arm.recipe.for_updates_of(images))


def _variant(arm: Arm, name: str, title: str, recipe: Recipe) -> Arm:
    """The arm with another recipe, which the paper does not have."""
    return replace(arm, name=f"{arm.name}-{name}", title=f"{arm.title}, {title}", recipe=recipe, published={})


def with_updates(plan: Plan, images: Callable[[str], int]) -> Plan:
    """The plan with its arms trained as long as ``Plan.updates`` says; ``images`` returns the size of a view."""
    if all(arm.recipe.head_only for arm in plan.arms):  # fitted until they converge
        return plan
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
    """Raises UnknownName unless ``updates`` is one of the values of :data:`Updates`."""
    if updates not in get_args(Updates):
        raise UnknownName("updates", updates, get_args(Updates))
