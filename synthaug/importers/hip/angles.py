"""Norberg angles of a dog's pelvis in captions, and the class that follows from them."""

from __future__ import annotations

import re

from synthaug.config import HIP

Point = tuple[float, float]
"""(x, y) in pixels, y downwards."""

NORMAL_ANGLE = 105.0
"""Degrees from which a hip counts as normal (Norberg's limit). The document with the classes Big and Small does not
state its threshold, so this one is our choice."""

CAPTION = (
    "an x-ray of a dog's hip joint with left angle {left:.2f} degrees and right angle {right:.2f} degrees"
)
SHORT_CAPTION = "hip x-ray left angle {left:.2f} right angle {right:.2f}"
"""A caption for text encoders that read few tokens, such as that of the embedded generator, which reads 32."""

_PATTERNS = {
    side: re.compile(rf"\b{side}\s+angle\D{{0,12}}?(\d+(?:\.\d+)?)", re.IGNORECASE)
    for side in ("left", "right")
}


def hip_caption(left: float, right: float) -> str:
    """The caption of a radiograph in the document's wording, with angles in degrees, to two decimals."""
    return CAPTION.format(left=left, right=right)


def short_caption(left: float, right: float) -> str:
    """A shorter caption, with angles in degrees to two decimals."""
    return SHORT_CAPTION.format(left=left, right=right)


def parse_angles(caption: str) -> tuple[float, float] | None:
    """(left, right) in degrees from a caption; None unless it has both and each lies between 0 and 180."""
    found = [pattern.search(caption) for pattern in _PATTERNS.values()]
    if found[0] is None or found[1] is None:
        return None
    left, right = float(found[0].group(1)), float(found[1].group(1))
    return (left, right) if 0 < left < 180 and 0 < right < 180 else None


def wording(caption: str) -> str:
    """A caption as a format string, with ``{left}`` and ``{right}`` in place of its angles."""
    spans = sorted(
        (match.span(1), side)
        for side, pattern in _PATTERNS.items()
        if (match := pattern.search(caption)) is not None
    )
    parts, end = [], 0
    for (start, stop), side in spans:
        parts += [_literal(caption[end:start]), f"{{{side}}}"]
        end = stop
    return "".join([*parts, _literal(caption[end:])])


def _literal(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def hip_class(left: float, right: float, threshold: float = NORMAL_ANGLE) -> str:
    """ "Big" if the smaller, worse angle is at least ``threshold`` degrees, else "Small"."""
    big, small = HIP
    return big if min(left, right) >= threshold else small
