"""Choosing a generator: cards without loading, and known words."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthaug.errors import UserError
from synthaug.generators.base import ModelCard
from synthaug.reading import generator_choice
from synthaug.reading.generator_choice import Vocabulary
from synthaug.stages import generate
from synthaug.stages.generation_spec import GenerationSpec
from synthaug.workspace import Workspace

LONG = "a bold handwritten digit eight, " + "and so on " * 30


def states(text: str, *terms: str) -> list[tuple[str, str]]:
    """The words of a prompt that are known or unknown."""
    spans = Vocabulary(frozenset(terms), len).spans(text)
    assert "".join(span.text for span in spans) == text
    return [(span.text, span.state) for span in spans if span.state != "plain"]


def test_words_are_matched_as_phrases_and_in_any_case() -> None:
    found = states("A Bold eight, slanted  LEFT on a sofa", "bold", "eight", "slanted left")
    assert found == [("Bold", "known"), ("eight", "known"), ("slanted  LEFT", "known"), ("sofa", "unknown")]


def test_a_part_of_a_word_or_phrase_is_not_the_word() -> None:
    assert states("eighty slanted", "eight", "slanted left") == [
        ("eighty", "unknown"),
        ("slanted", "unknown"),
    ]
    assert states("", "eight") == []


def test_the_digits_know_their_captions(workspace: Workspace) -> None:
    known = generator_choice.vocabulary(workspace, "digits")
    assert known is not None
    spans = known.spans("a thin handwritten digit seven on a green sofa")
    assert [span.text for span in spans if span.state == "unknown"] == ["green", "sofa"]


def test_the_words_shown_as_read_are_those_the_generator_reads(workspace: Workspace) -> None:
    known = generator_choice.vocabulary(workspace, "digits")
    assert known is not None
    ((drawn,),) = generate.preview(workspace, GenerationSpec(LONG, "8", 1, generator="digits", steps=1), 1)
    assert drawn.image.cut
    unread = LONG[known.read(LONG) :]
    assert unread.endswith(drawn.image.cut)
    assert not unread.removesuffix(drawn.image.cut)[1:].strip(" on")  # at most the start of a halved word
    assert known.read("a bold eight") == len("a bold eight")


def test_choices_have_cards_and_a_hub_id_needs_no_network(workspace: Workspace) -> None:
    shipped = {each.name: each for each in generator_choice.choices(workspace)}
    assert "eight" in shipped["digits"].card.classes
    assert shipped["digits"].size == pytest.approx(5.4e6, rel=0.1)
    far = generator_choice.choice(workspace, "nobody/never-published-this")
    assert (far.kind, far.size, far.card.words) == ("hub", None, ())
    assert generator_choice.vocabulary(workspace, far.name) is None


def test_augmentation_is_a_choice_without_a_model(workspace: Workspace) -> None:
    found = generator_choice.choice(workspace, "augmentation")
    assert (found.card.family, found.size) == ("augmentation", 0)
    assert generator_choice.vocabulary(workspace, "augmentation") is None


def test_folders_that_are_not_generators_are_refused(workspace: Workspace, tmp_path: Path) -> None:
    ModelCard().write(tmp_path)
    for name in (str(tmp_path), "no such thing", "context:digits"):
        with pytest.raises(UserError):
            generator_choice.choice(workspace, name)
