"""Images padded with black to squares, and the conversion of landmarks between squares and images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthaug.grayscale import as_levels
from synthaug.images import resize, resize_levels
from synthaug.landmarks.scheme import Scheme
from synthaug.records import GrayImage, ImageRecord
from synthaug.stages.pixels import deepened, read_stored
from synthaug.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Square:
    """An image of ``width`` x ``height`` pixels centred in a square; shares are relative to the side of the square."""

    width: int
    height: int

    @property
    def side(self) -> int:
        """The side of the square, in pixels of the image."""
        return max(self.width, self.height)

    @property
    def corner(self) -> tuple[float, float]:
        """The upper left corner (x, y) of the image in the square, in pixels of the image."""
        return (self.side - self.width) / 2, (self.side - self.height) / 2

    def shares(self, scheme: Scheme, places: Mapping[str, Sequence[float]]) -> list[float]:
        """Convert landmarks in pixels of the image to M shares, in the order of the scheme."""
        found: list[float] = []
        for name in scheme.names:
            x, y, *radius = places[name]
            found += [(x + self.corner[0]) / self.side, (y + self.corner[1]) / self.side]
            found += [each / self.side for each in radius]
        return found

    def places(self, scheme: Scheme, shares: Sequence[float] | NDArray[Any]) -> dict[str, tuple[float, ...]]:
        """Convert shares to landmarks in pixels of the image."""
        found, start = {}, 0
        for landmark in scheme.landmarks:
            x, y, *radius = (self.side * float(each) for each in shares[start : start + len(landmark.mean)])
            found[landmark.name] = (x - self.corner[0], y - self.corner[1], *radius)
            start += len(landmark.mean)
        return found

    def pixels(self, share: float) -> float:
        """Convert a length given as a share to pixels of the image."""
        return share * self.side


def load_squares(
    workspace: Workspace, images: Sequence[ImageRecord], size: int
) -> tuple[NDArray[np.unsignedinteger[Any]], list[Square]]:
    """Squares (N, size, size, 3) uint8, or uint16 if any image is gray of more than 8 bits. Raises ImageLost."""
    squares = [Square(image.width, image.height) for image in images]
    pixels: NDArray[np.unsignedinteger[Any]] = np.zeros((len(images), size, size, 3), np.uint8)
    for i, (image, square) in enumerate(zip(images, squares, strict=True)):
        stored = read_stored(workspace, image.sha256)
        if isinstance(stored, GrayImage) and pixels.dtype == np.uint8:
            pixels = deepened(pixels)
        left, top, width, height = _inside(square, size)
        place = pixels[i, top : top + height, left : left + width]
        if isinstance(stored, GrayImage):
            place[:] = resize_levels(as_levels(stored), (width, height))[:, :, None]
        else:
            shown = resize(stored, (width, height))
            place[:] = shown if pixels.dtype == np.uint8 else deepened(shown)
    return pixels, squares


def _inside(square: Square, size: int) -> tuple[int, int, int, int]:
    """Left, top, width and height of the image in a square with a side of ``size`` pixels."""
    width, height = (max(1, round(each * size / square.side)) for each in (square.width, square.height))
    return (size - width) // 2, (size - height) // 2, width, height
