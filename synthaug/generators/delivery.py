"""From what a model draws to what is asked for: smaller where it must be, never larger, its shape kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from synthaug.errors import UserError
from synthaug.generators.base import GeneratedImage
from synthaug.records import Pixels


def delivered_size(drawn: tuple[int, int], asked: tuple[int, int] | None) -> tuple[int, int]:
    """``drawn`` (width, height) brought within ``asked``. Raises UserError for a size below 1."""
    width, height = asked or drawn
    if min(width, height) < 1:
        raise UserError(f"the output size is {width}x{height}; both must be at least 1")
    scale = min(1.0, width / drawn[0], height / drawn[1])
    return max(1, round(scale * drawn[0])), max(1, round(scale * drawn[1]))


def deliver(
    drawn: Pixels, size: tuple[int, int], cut: str, details: Mapping[str, Any] | None = None
) -> GeneratedImage:
    """``drawn`` at ``size`` (width, height), antialiased; what it was made smaller from goes along for review."""
    if size == drawn.shape[1::-1]:
        return GeneratedImage(drawn, cut=cut, details=details or {})
    reduced = np.asarray(Image.fromarray(drawn).resize(size, Image.Resampling.LANCZOS))
    return GeneratedImage(reduced, review=drawn, cut=cut, details=details or {})


def check_positive(what: str, value: int | None) -> None:
    """Refuse a number that is given and below 1. Raises UserError."""
    if value is not None and value < 1:
        raise UserError(f"the {what} is {value}; it must be at least 1")
