"""Parsing, checking and formatting of guidance scales."""

from __future__ import annotations

import re
from collections.abc import Sequence

from synthaug.errors import UserError
from synthaug.generators.base import Interval

Guidance = float | tuple[float, float]
"""A scale, or the ends of a range from which a scale is drawn for each image."""

GUIDANCE_GRID = 0.25
"""Step between the scales of a range: images with the same scale share batches, and finer differences are invisible."""
MAX_GUIDANCE = 100

NUMBER = r"\d+(?:\.\d+)?"
RANGE = re.compile(rf"({NUMBER})\s*(?:\.\.|-|–|to)\s*({NUMBER})")


def read_guidance(text: str | None) -> Guidance | None:
    """Parse ``"4"``, ``"1..5"`` or ``""``, which stands for the generator's default. Raises UserError.

    >>> read_guidance("1..5")
    (1.0, 5.0)
    """
    written = (text or "").strip()
    if not written:
        return None
    if re.fullmatch(NUMBER, written):
        return float(written)
    ends = _ends(written)
    if ends is None:
        raise UserError(f"the guidance is {written!r}; write a number such as 4, or a range such as 1..5")
    return ends


def read_interval(text: str | None) -> Interval | None:
    """Parse ``"0.2..0.8"``; None stands for the generator's default. Raises UserError.

    >>> read_interval("0.2..0.8")
    (0.2, 0.8)
    """
    if text is None:
        return None
    ends = _ends(text.strip())
    if ends is None:
        raise UserError(
            f"the guidance interval is {text!r}; write two shares of the denoising steps, such as 0.2..0.8"
        )
    return ends


def _ends(text: str) -> tuple[float, float] | None:
    """The ends of ``"1..5"``; None if the text is no range."""
    found = RANGE.fullmatch(text)
    return None if found is None else (float(found[1]), float(found[2]))


def guidance_text(guidance: Guidance | None) -> str:
    """Guidance as text that ``read_guidance`` parses, with six significant digits."""
    if guidance is None:
        return ""
    return f"{guidance:g}" if isinstance(guidance, int | float) else "..".join(f"{end:g}" for end in guidance)


def read_slot_guidance(texts: Sequence[str]) -> dict[str, dict[str, float]]:
    """Parse texts of the form ``SLOT=VALUE:SCALE,...`` to slot -> value -> scale. Raises UserError.

    >>> read_slot_guidance(["STROKE=bold:4,thin:2"])
    {'STROKE': {'bold': 4.0, 'thin': 2.0}}
    """
    found: dict[str, dict[str, float]] = {}
    for text in texts:
        slot, _, listed = text.partition("=")
        for entry in listed.split(","):
            value, _, scale = entry.rpartition(":")
            if not (slot.strip() and value.strip() and re.fullmatch(NUMBER, scale.strip())):
                raise UserError(
                    f"the slot guidance is {text!r}; write SLOT=VALUE:SCALE,..., such as STROKE=bold:4,thin:2"
                )
            found.setdefault(slot.strip(), {})[value.strip()] = float(scale)
    return found


def check_guidance(guidance: Guidance | None) -> None:
    """Raises UserError for a scale outside 0 .. 100, or a range narrower than its step."""
    if guidance is None:
        return
    if isinstance(guidance, int | float):
        check_scale(guidance)
        return
    low, high = guidance
    check_scale(low)
    check_scale(high)
    if high - low < GUIDANCE_GRID:
        raise UserError(
            f"the guidance range is {low:g} .. {high:g}; its end must be at least {GUIDANCE_GRID} above its start"
        )


def check_scale(scale: float) -> None:
    """Raises UserError for a scale outside 0 .. 100."""
    if not 0 <= scale <= MAX_GUIDANCE:
        raise UserError(f"the guidance scale is {scale}; it must be in 0 .. {MAX_GUIDANCE}")
