"""Guidance as a person writes it: one grammar for the command line and the form."""

from __future__ import annotations

import re

import pytest

from synthaug.errors import UserError
from synthaug.stages.guidance import Guidance, guidance_text, read_guidance, read_interval, read_slot_guidance


@pytest.mark.parametrize(
    ("text", "guidance"),
    [
        ("", None),
        (None, None),
        ("4", 4.0),
        (" 2.5 ", 2.5),
        ("1..5", (1.0, 5.0)),
        ("1 - 5", (1.0, 5.0)),
        ("1.5 to 5", (1.5, 5.0)),
    ],
)
def test_guidance_is_a_number_or_a_range(text: str | None, guidance: Guidance | None) -> None:
    assert read_guidance(text) == guidance
    assert read_guidance(guidance_text(guidance)) == guidance


@pytest.mark.parametrize("text", ["much", "1..", "..5", "-3", "nan", "inf", "1e2", "1..2..3"])
def test_other_guidance_is_refused_in_words(text: str) -> None:
    with pytest.raises(UserError, match=re.escape(repr(text))):
        read_guidance(text)


def test_an_interval_is_two_shares() -> None:
    assert read_interval(None) is None
    assert read_interval(" 0.2..0.8 ") == (0.2, 0.8)
    assert read_interval("0 .. 1") == (0.0, 1.0)


@pytest.mark.parametrize("text", ["", "0.5", "0.2..", "..0.8", "-1..1", "nan..1", "20%..80%"])
def test_other_intervals_are_refused_in_words(text: str) -> None:
    with pytest.raises(UserError, match=re.escape(repr(text))):
        read_interval(text)


def test_slot_guidance_gives_values_their_scales() -> None:
    assert read_slot_guidance(["STROKE=bold:4, thin:2.5", "SIZE=big:1", "STROKE=a=b:c:3"]) == {
        "STROKE": {"bold": 4.0, "thin": 2.5, "a=b:c": 3.0},
        "SIZE": {"big": 1.0},
    }
    assert read_slot_guidance([]) == {}


@pytest.mark.parametrize(
    "text", ["STROKE", "=bold:4", "STROKE=", "STROKE=bold", "STROKE=bold:x", "STROKE=:4"]
)
def test_other_slot_guidance_is_refused_in_words(text: str) -> None:
    with pytest.raises(UserError, match=re.escape(repr(text))):
        read_slot_guidance([text])
