"""Names that people give: to views, models, selections, tags and accounts."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, count

from synthaug.errors import UserError

MAX_NAME = 100  # characters


def check_name(name: str, what: str, longest: int = MAX_NAME) -> str:
    """``name`` as it is kept: in NFC, without spaces around it.

    ``what`` it names stands in the message, e.g. "a view". Raises UserError for a name that is empty, longer than
    ``longest`` characters, or holds what cannot be printed, such as line breaks.
    """
    kept = unicodedata.normalize("NFC", name.strip())
    if not kept or len(kept) > longest or not kept.isprintable():
        shown = repr(name[:40]) + (" ..." if len(name) > 40 else "")
        raise UserError(f"{what} cannot be called {shown}; give it 1 to {longest} printable characters")
    return kept


def numbered(name: str, first: int = 1) -> Iterator[str]:
    """``name-1``, ``name-2`` and so on, without end."""
    return (f"{name}-{number}" for number in count(first))


def alternatives(name: str) -> Iterator[str]:
    """``name`` itself, then ``name-2``, ``name-3`` and so on, without end."""
    return chain([name], numbered(name, 2))


def first_free(names: Iterable[str], is_taken: Callable[[str], bool]) -> str:
    """The first of ``names`` that is not taken."""
    return next(name for name in names if not is_taken(name))
