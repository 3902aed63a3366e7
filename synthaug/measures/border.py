"""How dark the border of an image is, an indicator of the background that a generator paints."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]
Luminances = NDArray[np.float64]

REC_709 = np.array([0.2126, 0.7152, 0.0722])
"""Weights of red, green and blue. They apply to the stored sRGB values, as luma in video does, not to linear light."""


def border_luminance(images: Images, width: int = 2) -> Luminances:
    """Mean luma of the outermost ``width`` pixels of images (N, H, W, 3) uint8: (N,), 0 black .. 1 white.

    Rec. 709 weights on the gamma-encoded sRGB values. A width of half the image or more covers all of it. Raises
    ValueError for another shape or dtype, or a width below 1.
    """
    if images.ndim != 4 or images.shape[3] != 3 or images.dtype != np.uint8 or 0 in images.shape[1:3]:
        raise ValueError(f"images must be (N, H, W, 3) uint8, not {images.shape} {images.dtype}")
    if width < 1:
        raise ValueError(f"a border is at least 1 pixel wide, not {width}")
    border = np.ones(images.shape[1:3], bool)
    border[width:-width, width:-width] = False
    means = np.array([image[border].mean(0, dtype=np.float64) for image in images]).reshape(-1, 3)
    return np.asarray(means @ REC_709 / 255)


def dark_share(values: NDArray[np.floating[Any]], threshold: float) -> float:
    """Share of the luminances (N,) below ``threshold``, in 0..1; higher = more dark backgrounds."""
    if not len(values):
        raise ValueError("a share needs at least one value")
    return float((values < threshold).mean())
