"""Text in a CSV cell that a spreadsheet shows and does not run: one that could be a formula gets an apostrophe."""

from __future__ import annotations

import re

FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
"""How a formula begins; apostrophes in front are counted in, so that :func:`plain_cell` gives every text back."""


def safe_cell(text: str) -> str:
    """``=1+1`` as ``'=1+1``; other text as it is."""
    return f"'{text}" if FORMULA.match(text) else text


def plain_cell(cell: str) -> str:
    """The text that :func:`safe_cell` was given."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell
