"""Names given by users to views, models, selections, tags and accounts."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, count

from synthaug.errors import UserError

MAX_NAME = 100  # characters


def check_name(name: str, what: str, longest: int = MAX_NAME) -> str:
    """``name`` in NFC and without surrounding spaces.

    Raises UserError for a name that is empty, longer than ``longest`` characters, or contains unprintable characters
    such as line breaks; the message calls the object ``what``, such as "a view".
    """
    kept = unicodedata.normalize("NFC", name.strip())
    if not kept or len(kept) > longest or not kept.isprintable():
        shown = repr(name[:40]) + (" ..." if len(name) > 40 else "")
        raise UserError(f"{what} cannot be called {shown}; give it 1 to {longest} printable characters")
    return kept


def numbered(name: str, first: int = 1) -> Iterator[str]:
    """``name-1``, ``name-2`` ... (infinite)."""
    return (f"{name}-{number}" for number in count(first))


def alternatives(name: str) -> Iterator[str]:
    """``name``, ``name-2``, ``name-3`` ... (infinite)."""
    return chain([name], numbered(name, 2))


def first_free(names: Iterable[str], is_taken: Callable[[str], bool]) -> str:
    """The first of ``names`` that is not taken."""
    return next(name for name in names if not is_taken(name))
