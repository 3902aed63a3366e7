"""Downsampling generated images to the requested size; images are never enlarged and keep their aspect ratio."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PIL import Image

from synthaug.errors import UserError
from synthaug.generators.base import GeneratedImage
from synthaug.records import Pixels


def delivered_size(drawn: tuple[int, int], limit: tuple[int, int] | None) -> tuple[int, int]:
    """The size ``drawn`` (width, height) scaled down to fit ``limit``. Raises UserError for a limit below 1."""
    width, height = limit or drawn
    if min(width, height) < 1:
        raise UserError(f"the output size is {width}x{height}; both must be at least 1")
    scale = min(1.0, width / drawn[0], height / drawn[1])
    return max(1, round(scale * drawn[0])), max(1, round(scale * drawn[1]))


def deliver(
    drawn: Pixels, size: tuple[int, int], cut: str, details: Mapping[str, object] | None = None
) -> GeneratedImage:
    """``drawn`` (H, W, 3) resized to ``size`` (width, height) with antialiasing; keeps the larger image for review."""
    if size == drawn.shape[1::-1]:
        return GeneratedImage(drawn, cut=cut, details=details or {})
    reduced = np.asarray(Image.fromarray(drawn).resize(size, Image.Resampling.LANCZOS))
    return GeneratedImage(reduced, review=drawn, cut=cut, details=details or {})


def check_positive(what: str, value: int | None) -> None:
    """Raises UserError for a number below 1; None is allowed."""
    if value is not None and value < 1:
        raise UserError(f"the {what} is {value}; it must be at least 1")
