"""Escaping of CSV cells against formula injection: text that could be a formula gets a leading apostrophe."""

from __future__ import annotations

import re

FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
"""Start of a formula, after any apostrophes, so that :func:`plain_cell` restores every text."""


def safe_cell(text: str) -> str:
    """``'=1+1`` for ``=1+1``; other text unchanged."""
    return f"'{text}" if FORMULA.match(text) else text


def plain_cell(cell: str) -> str:
    """The text from which :func:`safe_cell` made the cell."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell
