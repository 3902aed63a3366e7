"""Cells that a spreadsheet does not run, and the text that was put into them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthaug.spreadsheet import plain_cell, safe_cell

STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


@given(st.text(alphabet="'=+-@\t\r\na1", max_size=6))
def test_no_cell_begins_a_formula_and_every_text_comes_back(text: str) -> None:
    cell = safe_cell(text)
    assert not cell.startswith(STARTS)
    assert plain_cell(cell) == text


@pytest.mark.parametrize("text", ["", "cat", "it's", "'quoted'", "a=b", "1-2"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert safe_cell(text) == plain_cell(text) == text
