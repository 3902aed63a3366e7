"""Names that people give."""

from __future__ import annotations

import pytest

from synthaug.errors import UserError
from synthaug.names import alternatives, check_name, first_free, numbered


@pytest.mark.parametrize(
    ("given", "kept"),
    [("hips", "hips"), ("  two words ", "two words"), ("Hu\u0308fte", "H\u00fcfte"), ("股関節", "股関節")],
)
def test_a_name_is_kept_without_spaces_around_it_and_in_one_spelling(given: str, kept: str) -> None:
    assert check_name(given, "a view") == kept


@pytest.mark.parametrize("given", ["", "  ", "a" * 101, "two\nlines", "\x1b[31mred", "\udcff"])
def test_names_that_cannot_be_shown_or_stored_are_refused(given: str) -> None:
    with pytest.raises(
        UserError, match=r"^a view cannot be called .*; give it 1 to 100 printable characters$"
    ):
        check_name(given, "a view")


def test_a_long_name_is_not_repeated_in_full() -> None:
    with pytest.raises(UserError) as refused:
        check_name("x" * 5000, "a model", 60)
    assert len(str(refused.value)) < 150


def test_the_first_name_that_nothing_has() -> None:
    taken = {"real", "real-2", "linear-1"}
    assert first_free(alternatives("real"), taken.__contains__) == "real-3"
    assert first_free(alternatives("new"), taken.__contains__) == "new"
    assert first_free(numbered("linear"), taken.__contains__) == "linear-2"
