"""Values that are left out of a template: what is left is counted, numbered and drawn as if they were not there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthaug.errors import TemplateError
from synthaug.templates import Template

WORDS = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=6)


@given(words=WORDS, gone=st.sets(st.sampled_from("abcdef"), max_size=5))
def test_a_slot_without_values_is_the_slot_of_the_others(words: list[str], gone: set[str]) -> None:
    kept = [word for word in words if word not in gone]
    text = "a <WHAT> on a {mat|sofa}"
    if not kept:
        with pytest.raises(TemplateError, match="every value of WHAT is retired"):
            Template.parse(text, {"WHAT": words}, {"what": gone})
        return
    fewer = Template.parse(text, {"WHAT": words}, {"what": gone})
    plain = Template.parse(text, {"WHAT": kept})
    assert fewer.count == plain.count
    assert [prompt.text for prompt in fewer] == [prompt.text for prompt in plain]
    assert list(fewer.sample(plain.count, 3, "keep")) == list(plain.sample(plain.count, 3, "keep"))


def test_an_option_of_a_choice_goes_with_its_weight() -> None:
    fewer = Template.parse("a {0.7::red|0.2::green|0.1::blue} ball", retired={"choice1": {"red"}})
    plain = Template.parse("a {0.2::green|0.1::blue} ball")
    assert [prompt.text for prompt in fewer] == ["a green ball", "a blue ball"]
    drawn = [next(fewer.sample(1, seed)).text for seed in range(300)]
    assert drawn == [next(plain.sample(1, seed)).text for seed in range(300)]


def test_a_wildcard_and_a_range_lose_values() -> None:
    assert [each.text for each in Template.parse("__what__", {"what": ["a", "b"]}, {"WHAT": ["a"]})] == ["b"]
    angles = Template.parse("<ANGLE:60..63>", retired={"ANGLE": ["61", "99"]})
    assert [prompt.text for prompt in angles] == ["60", "62", "63"]


@pytest.mark.parametrize(
    ("text", "value"),
    [("{2$$ and $$red|green|blue}", "red and green"), ("{a <SIZE> ball|none}", "a big ball")],
)
def test_retiring_a_combined_text_is_refused_with_the_reason(text: str, value: str) -> None:
    with pytest.raises(TemplateError, match="consists of several parts"):
        Template.parse(text, {"SIZE": ["big"]}, {"choice1": [value]})


def test_values_that_the_template_lacks_change_nothing() -> None:
    text = "a {red|green} <WHAT>"
    slots = {"WHAT": ["ball", "box"]}
    unchanged = Template.parse(text, slots, {"OTHER": ["ball"], "WHAT": ["cup"], "choice1": ["blue"]})
    assert list(unchanged) == list(Template.parse(text, slots))


def test_a_huge_range_is_not_searched() -> None:
    with pytest.raises(TemplateError, match="at most 1,000,000"):
        Template.parse("<N:0..9999999>", retired={"N": ["5"]})
