"""Random similarity transforms of images and of the landmarks on them, with other contrast and brightness.

They keep the angles between landmarks. A network that sees few films, each in one position, learns them by heart.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from synthaug.classifiers.base import Images

ROTATION = 15.0
"""Degrees that an image is turned by at most."""
SCALE, SHIFT = 0.15, 0.06
"""How much larger or smaller an image becomes, and how far it is shifted in shares of its side, at most."""
GAIN, OFFSET = 0.25, 0.1
"""How much its contrast changes, and by which share of the depth it becomes brighter or darker, at most."""

_BATCH = 64


def with_variants(
    images: Images, shares: NDArray[np.float64], names: Sequence[str], count: int, seed: int
) -> tuple[Images, NDArray[np.float64]]:
    """The images and their landmarks, followed by ``count`` variants of each; arguments as :func:`similar_images`."""
    made = [(images, shares), *(similar_images(images, shares, names, [seed, i]) for i in range(count))]
    return np.concatenate([each for each, _ in made]), np.concatenate([each for _, each in made])


def similar_images(
    images: Images, shares: NDArray[np.float64], names: Sequence[str], seed: int | Sequence[int]
) -> tuple[Images, NDArray[np.float64]]:
    """A random variant of each of the square images (N, S, S, 3) and of its landmarks (N, M), shares of the side.

    ``names`` (M,) are those of ``landmarks.output_names``: x, y and radius of each landmark. What comes from
    outside of an image is black.
    """
    rng = np.random.default_rng(seed)
    count = len(images)
    turns = np.deg2rad(rng.uniform(-ROTATION, ROTATION, count))
    scales = 1 + rng.uniform(-SCALE, SCALE, count)
    shifts = rng.uniform(-SHIFT, SHIFT, (count, 2))
    moved = _moved_landmarks(shares, names, turns, scales, shifts)
    gains = 1 + rng.uniform(-GAIN, GAIN, count)
    offsets = rng.uniform(-OFFSET, OFFSET, count)
    varied = np.empty_like(images)
    for start in range(0, count, _BATCH):
        part = slice(start, start + _BATCH)
        pixels = _moved_pixels(images[part], turns[part], scales[part], shifts[part])
        varied[part] = _relit(pixels, gains[part], offsets[part], float(np.iinfo(images.dtype).max))
    return varied, moved


def _rotations(turns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Matrices (N, 2, 2) that turn (x, y) by these angles in radians."""
    cosine, sine = np.cos(turns), np.sin(turns)
    return np.stack([np.stack([cosine, -sine], -1), np.stack([sine, cosine], -1)], -2)


def _moved_landmarks(
    shares: NDArray[np.float64],
    names: Sequence[str],
    turns: NDArray[np.float64],
    scales: NDArray[np.float64],
    shifts: NDArray[np.float64],
) -> NDArray[np.float64]:
    moved = shares.copy()
    forward = scales[:, None, None] * _rotations(turns)
    for column, name in enumerate(names):
        if name.endswith(".x"):
            place = shares[:, column : column + 2] - 0.5
            moved[:, column : column + 2] = (forward @ place[..., None])[..., 0] + 0.5 + shifts
        elif name.endswith(".radius"):
            moved[:, column] *= scales
    return moved


def _moved_pixels(
    images: Images, turns: NDArray[np.float64], scales: NDArray[np.float64], shifts: NDArray[np.float64]
) -> Tensor:
    """The images (N, 3, S, S) as float32, moved as their landmarks."""
    back = _rotations(-turns) / scales[:, None, None]
    offset = -back @ (2 * shifts)[..., None]  # grid coordinates are -1..1
    grid = F.affine_grid(
        torch.from_numpy(np.concatenate([back, offset], 2)).float(),
        [len(images), 3, *images.shape[1:3]],
        align_corners=False,
    )
    pixels = torch.from_numpy(images.astype(np.float32)).permute(0, 3, 1, 2)
    return F.grid_sample(pixels, grid, align_corners=False)


def _relit(pixels: Tensor, gains: NDArray[np.float64], offsets: NDArray[np.float64], white: float) -> Images:
    """Images (N, S, S, 3) with other contrast and brightness, rounded to their depth."""
    gain, offset = (torch.from_numpy(each).float()[:, None, None, None] for each in (gains, offsets))
    middle = pixels.mean((1, 2, 3), keepdim=True)
    lit = ((pixels - middle) * gain + middle + offset * white).clamp(0, white).round()
    return lit.permute(0, 2, 3, 1).numpy()
