"""Images padded with black to squares, and the conversion of landmarks between squares and images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthaug.landmarks.scheme import Scheme
from synthaug.records import ImageRecord
from synthaug.stages.pixels import load_levels
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
    pixels = load_levels(workspace, [image.sha256 for image in images], size, "padded")
    return pixels, [Square(image.width, image.height) for image in images]
