from __future__ import annotations

import pytest

from synthaug.errors import UserError
from synthaug.generators.classes import fine_classes, imagenet_to_cifar10, named_class

CLASSES = ("cat", "truck", "fire truck")
IMAGENET = (
    "tench, Tinca tinca",
    "fire engine, fire truck",
    "container ship, containership, container vessel",
    "pirate, pirate ship",
    "tow truck, tow car, wrecker",
    "moving van",
)


@pytest.mark.parametrize(
    ("prompt", "found"),
    [("a cat", "cat"), ("A CAT, at night", "cat"), ("the fire truck", "fire truck"), ("truck", "truck")],
)
def test_the_class_is_a_whole_word_and_the_longest(prompt: str, found: str) -> None:
    assert named_class(prompt, CLASSES) == found


@pytest.mark.parametrize(
    "prompt", ["", "a category", "trucks", "a cat on a truck", "a fire truck by a truck"]
)
def test_none_or_several_are_refused(prompt: str) -> None:
    with pytest.raises(UserError, match="it understands cat, truck, fire truck"):
        named_class(prompt, CLASSES)


def test_the_papers_table_finds_imagenets_classes() -> None:
    table = imagenet_to_cifar10()
    assert fine_classes("truck", IMAGENET, table) == [1, 4]
    assert fine_classes("ship", IMAGENET, table) == [2, 3]
    assert fine_classes("moving van", IMAGENET, table) == [5]
    with pytest.raises(UserError, match="no class of this generator is a kind of 'horse'"):
        fine_classes("horse", IMAGENET, table)
