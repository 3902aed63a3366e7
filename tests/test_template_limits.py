"""Templates that would hang or fill the memory: refused with the limit they meet, or counted and drawn from."""

from __future__ import annotations

import pytest

from synthaug.errors import TemplateError
from synthaug.templates import Template

TOO_MUCH = {
    "a choice of too many": (
        "{2500$$" + "|".join(map(str, range(5000))) + "}",
        "choosing 2500 out of 5,000 options takes",
    ),
    "megabytes": ("word " * 600_000, r"3,000,000 characters, more than the limit of 100,000"),
    "nested braces": ("{" * 5000 + "a" + "}" * 5000, "braces are nested more than 40 levels deep"),
    "open braces": ("{" * 5000, "braces are nested more than 40 levels deep"),
    "many choices": ("{a|b}" * 20_000, r"more than 10\*\*300 prompts"),
    "many ranges": ("".join(f"<A{i}:1..9>" for i in range(400)), r"more than 10\*\*300 prompts"),
    "weights": ("{1e-300::a|1e300::b}", "too far apart to choose 1"),
    "a surrogate": ("a \ud800", "not valid Unicode text"),
}


@pytest.mark.parametrize("text, message", TOO_MUCH.values(), ids=TOO_MUCH)  # noqa: PT006
def test_templates_beyond_a_limit_are_refused_with_the_limit(text: str, message: str) -> None:
    with pytest.raises(TemplateError, match=message):
        Template.parse(text)


MUCH = {
    "plain text": "a photo of a cat, " * 5000,
    "colons": ":" * 90_000,
    "underscores": "_" * 90_000,
    "options": "{" + "|" * 90_000 + "}",
    "choices": "{a|b}" * 900,
    "one slot often": "<X> " * 20_000,
    "many slots, each twice": "".join(f"<A{i}:1..2>" for i in range(300)) * 2,
    "lists by name": "__one__" * 10_000,
    "all of many": "{300$$" + "|" * 299 + "}",
    "weights": "{9$$" + "|".join(f"1e{-i}::{i}" for i in range(10)) + "}",
    "depth": "{a|" * 39 + "b" + "}" * 39,
}


@pytest.mark.parametrize("text", MUCH.values(), ids=MUCH)
def test_large_templates_are_counted_and_sampled(text: str) -> None:
    template = Template.parse(text, {"X": ["a", "b"], "one": ["1"]})
    assert template.unique_count is None or 1 <= template.unique_count <= template.count
    wanted = min(template.count, 20)
    assert len({each.index for each in template.sample(wanted, 0, "keep")}) == wanted


def test_weights_so_far_apart_that_little_can_be_drawn() -> None:
    template = Template.parse("{1000000::a|0.000001::b}" * 40)
    with pytest.raises(TemplateError, match="draw fewer prompts or bring the weights closer"):
        list(template.sample(100, 0, "keep"))
    assert [each.text for each in template.sample(1, 0, "keep")] == ["a" * 40]


def test_texts_that_repeat_too_often_to_be_told_apart() -> None:
    template = Template.parse("{<A> <B> <A> <B>|x}" + "{|}" * 60, {"A": ["a"] * 1001, "B": ["b"] * 1001})
    assert template.unique_count in (None, 2)
    with pytest.raises(TemplateError, match=r"cannot draw 3|only 2 different prompts were found"):
        list(template.sample(3, 0))
