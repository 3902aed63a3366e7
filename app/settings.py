"""What a person types for guidance: a number, or a range from which each image draws its own."""

from __future__ import annotations

import re
from collections.abc import Sequence

from synthaug.errors import UserError

NUMBER = r"\d+(?:\.\d+)?"
RANGE = re.compile(rf"({NUMBER})\s*(?:\.\.|-|–|to)\s*({NUMBER})")


def read_guidance(text: str | None) -> float | tuple[float, float] | None:
    """``"4"``, ``"1..5"`` or, for the generator's own, ``""``. Raises UserError."""
    said = (text or "").strip()
    if not said:
        return None
    if re.fullmatch(NUMBER, said):
        return float(said)
    ends = RANGE.fullmatch(said)
    if ends is None:
        raise UserError(f"the guidance is {said!r}; write a number such as 4, or a range such as 1..5")
    return float(ends[1]), float(ends[2])


def guidance_text(guidance: float | Sequence[float] | None) -> str:
    """The same as a person would type it."""
    if guidance is None:
        return ""
    return f"{guidance:g}" if isinstance(guidance, int | float) else "..".join(f"{end:g}" for end in guidance)
