from __future__ import annotations

import pytest

from synthaug.errors import UserError
from synthaug.generators.classes import named_class, vocabulary

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
def test_prompts_with_no_class_or_several_are_refused(prompt: str) -> None:
    with pytest.raises(UserError, match="it understands cat, truck, fire truck"):
        named_class(prompt, CLASSES)


def test_the_papers_table_finds_imagenets_classes() -> None:
    words = vocabulary(IMAGENET)
    assert words["truck"] == [1, 4]
    assert words["ship"] == [2, 3]
    assert words["moving van"] == [5]
    assert "horse" not in words
