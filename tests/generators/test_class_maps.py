"""The words that a class-conditional model's classes go by, and the paper's table from ImageNet to CIFAR-10."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthaug.config import CIFAR10
from synthaug.errors import UserError
from synthaug.generators.classes import imagenet_to_cifar10, named_class, vocabulary

LABELS = (
    "tabby, tabby cat",
    "fire engine, fire truck",
    "crane",
    "tow truck, tow car, wrecker",
    "crane",
    "pickup",
)


def test_the_papers_table_names_classes_of_imagenet() -> None:
    from torchvision.models._meta import _IMAGENET_CATEGORIES

    table = imagenet_to_cifar10()
    indices = {name: [_IMAGENET_CATEGORIES.index(each) for each in kinds] for name, kinds in table.items()}
    # Indices of ILSVRC 2012 as they are published with its classifiers.
    assert indices == {"truck": [555, 569, 717, 864, 867], "ship": [510, 724]}
    assert set(table) <= set(CIFAR10)


def test_every_synonym_means_its_class_and_a_coarse_word_all_of_its_kinds() -> None:
    words = vocabulary(LABELS)
    assert (words["fire truck"], words["fire engine"], words["wrecker"]) == ([1], [1], [3])
    assert words["truck"] == [1, 3, 5]
    assert "ship" not in words


def test_two_classes_of_one_name_are_both_meant() -> None:
    assert vocabulary(LABELS)["crane"] == [2, 4]


def test_a_first_name_wins_over_another_class_s_synonym() -> None:
    assert vocabulary(("maillot", "maillot, tank suit", "suit, maillot"))["maillot"] == [0, 1]


def test_a_model_with_its_own_truck_draws_that() -> None:
    assert vocabulary(("Truck", "pickup")) == {"Truck": [0], "pickup": [1]}
    assert vocabulary(()) == {}


@pytest.mark.parametrize(
    ("prompt", "found"),
    [
        ("a photo of a tow truck", "tow truck"),
        ("A TRUCK in the rain", "truck"),
        ("fire truck, fire truck", "fire truck"),
        ("the (crane).", "crane"),
    ],
)
def test_the_longest_word_is_the_one_that_is_meant(prompt: str, found: str) -> None:
    assert named_class(prompt, list(vocabulary(LABELS))) == found


def test_a_thousand_classes_are_not_all_listed() -> None:
    with pytest.raises(UserError, match=r"it understands class 0, .*class 19 \.\.\. \(1000 in all\)$"):
        named_class("a zebra", [f"class {i}" for i in range(1000)])


@given(
    st.lists(st.text("abcdefgh", min_size=1, max_size=4), min_size=1, max_size=6, unique=True),
    st.data(),
)
def test_a_class_is_found_between_other_words(classes: list[str], data: st.DataObject) -> None:
    wanted = data.draw(st.sampled_from(classes))
    assert named_class(f"xx {wanted.upper()}, yy", classes) == wanted
    with pytest.raises(UserError, match="names none"):
        named_class(f"x{wanted}y", classes)
