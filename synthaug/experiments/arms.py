"""Variants of an arm that belong in every table: the free remedies for imbalance, and the equal-steps control."""

from __future__ import annotations

from dataclasses import replace

from synthaug.experiments.base import Arm


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
    """The same images, trained for as many updates as ``images`` of them would be: more images mean more updates."""
    return replace(
        arm,
        name=f"{arm.name}-equal-steps",
        title=f"{arm.title}, trained for the steps of the largest set",
        recipe=arm.recipe.for_updates_of(images),
        published={},
    )
