"""Random similarity transforms of images and of the landmarks on them, with other contrast and brightness.

They keep the angles between landmarks. A network that sees few films, each in one position, learns them by heart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from synthaug.classifiers.base import Images

Shares = NDArray[np.float64]
"""Landmarks (N, M) as shares of the side of a square; M as the names of ``landmarks.output_names``."""

ROTATION = 15.0
"""Degrees that an image is turned by at most."""
SCALE, SHIFT = 0.15, 0.06
"""How much larger or smaller an image becomes, and how far it is shifted in shares of its side, at most."""
GAIN, OFFSET = 0.25, 0.1
"""How much its contrast changes, and by which share of the depth it becomes brighter or darker, at most."""

_BATCH = 64


@dataclass(frozen=True, slots=True)
class Similarities:
    """How each of N square images is turned and scaled about its centre, then shifted."""

    turns: NDArray[np.float64]  # (N,) radians
    scales: NDArray[np.float64]  # (N,)
    shifts: NDArray[np.float64]  # (N, 2) of x and y, in shares of the side

    @classmethod
    def random(cls, rng: np.random.Generator, count: int, extent: float = 1.0) -> Similarities:
        """Evenly distributed up to the share ``extent`` (0..1) of the largest rotation, scale and shift."""
        return cls(
            np.deg2rad(rng.uniform(-ROTATION, ROTATION, count)) * extent,
            1 + rng.uniform(-SCALE, SCALE, count) * extent,
            rng.uniform(-SHIFT, SHIFT, (count, 2)) * extent,
        )

    def moved(self, shares: Shares, names: Sequence[str]) -> Shares:
        """The landmarks (N, M) where these transforms take them."""
        moved = shares.copy()
        forward = self.scales[:, None, None] * _rotations(self.turns)
        for x in _columns(names, "x"):
            moved[:, x : x + 2] = _product(forward, shares[:, x : x + 2] - 0.5) + 0.5 + self.shifts
        moved[:, _columns(names, "radius")] *= self.scales[:, None]
        return moved

    def moved_back(self, shares: Shares, names: Sequence[str]) -> Shares:
        """The landmarks (N, M) where they were before; the inverse of :meth:`moved`."""
        moved = shares.copy()
        back = self._back()
        for x in _columns(names, "x"):
            moved[:, x : x + 2] = _product(back, shares[:, x : x + 2] - 0.5 - self.shifts) + 0.5
        moved[:, _columns(names, "radius")] /= self.scales[:, None]
        return moved

    def moved_pixels(self, images: Images) -> Tensor:
        """The images (N, S, S, 3) as float32 (N, 3, S, S), moved as their landmarks; black comes from outside."""
        back = self._back()
        offset = -back @ (2 * self.shifts)[..., None]  # grid coordinates are -1..1
        grid = F.affine_grid(
            torch.from_numpy(np.concatenate([back, offset], 2)).float(),
            [len(images), 3, *images.shape[1:3]],
            align_corners=False,
        )
        pixels = torch.from_numpy(images.astype(np.float32)).permute(0, 3, 1, 2)
        return F.grid_sample(pixels, grid, align_corners=False)

    def take(self, part: slice | NDArray[np.intp]) -> Similarities:
        """Those of some of the images."""
        return Similarities(self.turns[part], self.scales[part], self.shifts[part])

    def _back(self) -> NDArray[np.float64]:
        return _rotations(-self.turns) / self.scales[:, None, None]


def with_variants(
    images: Images, shares: Shares, names: Sequence[str], count: int, seed: int
) -> tuple[Images, Shares]:
    """The images (N, S, S, 3) and their landmarks (N, M), followed by ``count`` random variants of each."""
    made_images, made_shares = [images], [shares]
    for number in range(count):
        varied, transforms = variants(images, [seed, number])
        made_images.append(varied)
        made_shares.append(transforms.moved(shares, names))
    return np.concatenate(made_images), np.concatenate(made_shares)


def variants(
    images: Images, seed: int | Sequence[int], extent: float = 1.0, *, alike: bool = False
) -> tuple[Images, Similarities]:
    """A random variant of each of the square images (N, S, S, 3), and how each was moved.

    ``extent`` is that of :meth:`Similarities.random`; contrast and brightness always change by up to their most.
    With ``alike``, all images are changed in the same way, which then does not depend on how many they are.
    """
    rng = np.random.default_rng(seed)
    count = len(images)
    rows = np.zeros(count, np.intp) if alike else np.arange(count)
    drawn = 1 if alike else count
    transforms = Similarities.random(rng, drawn, extent).take(rows)
    gains = (1 + rng.uniform(-GAIN, GAIN, drawn))[rows]
    offsets = rng.uniform(-OFFSET, OFFSET, drawn)[rows]
    white = float(np.iinfo(images.dtype).max)
    varied = np.empty_like(images)
    for start in range(0, count, _BATCH):
        part = slice(start, start + _BATCH)
        varied[part] = _relit(
            transforms.take(part).moved_pixels(images[part]), gains[part], offsets[part], white
        )
    return varied, transforms


def _columns(names: Sequence[str], part: str) -> list[int]:
    return [column for column, name in enumerate(names) if name.endswith(f".{part}")]


def _product(matrices: NDArray[np.float64], vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Matrices (N, 2, 2) times vectors (N, 2)."""
    product: NDArray[np.float64] = (matrices @ vectors[..., None])[..., 0]
    return product


def _rotations(turns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Matrices (N, 2, 2) that turn (x, y) by these angles in radians."""
    cosine, sine = np.cos(turns), np.sin(turns)
    return np.stack([np.stack([cosine, -sine], -1), np.stack([sine, cosine], -1)], -2)


def _relit(pixels: Tensor, gains: NDArray[np.float64], offsets: NDArray[np.float64], white: float) -> Images:
    """Images (N, S, S, 3) with other contrast and brightness, rounded to their depth."""
    gain, offset = (torch.from_numpy(each).float()[:, None, None, None] for each in (gains, offsets))
    middle = pixels.mean((1, 2, 3), keepdim=True)
    lit = ((pixels - middle) * gain + middle + offset * white).clamp(0, white).round()
    return lit.permute(0, 2, 3, 1).numpy()
