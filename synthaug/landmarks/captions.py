"""Angles in captions: writing them by the template of a scheme, and reading them back."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping

from synthaug.landmarks.scheme import Scheme
from synthaug.records import Landmarks

WORDS_BEFORE = 2
"""Number of words before an angle by which it is recognised: "left angle", "right angle"."""


def caption_with(scheme: Scheme, placed: Landmarks) -> str | None:
    """The caption of the scheme with these angles; None if the scheme has none or the angles are not its own."""
    if (
        scheme.caption is None
        or placed.scheme != scheme.name
        or not _fields(scheme.caption) <= set(placed.angles)
    ):
        return None
    return scheme.caption.format(**placed.angles)


def angles_in(scheme: Scheme, caption: str) -> Mapping[str, float] | None:
    """The angles in degrees that a caption contains, by name; None if one of them is missing."""
    found = {}
    for literal, field, _, _ in string.Formatter().parse(scheme.caption or ""):
        if field is None:
            continue
        words = r"\s+".join(re.escape(word) for word in literal.split()[-WORDS_BEFORE:])
        match = re.search(rf"\b{words}[^\d\-]{{0,12}}?(-?\d+(?:\.\d+)?)", caption, re.IGNORECASE)
        if match is None or not -180 <= float(match[1]) <= 180:
            return None
        found[field] = float(match[1])
    return found or None


def _fields(caption: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(caption) if field is not None}
