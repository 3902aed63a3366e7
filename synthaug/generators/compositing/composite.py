"""Compositing a subject onto a background: random placement, perspective warp, soft edges and hole filling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from synthaug.generators.compositing.masks import Mask, bounding_box
from synthaug.records import Pixels

Alpha = NDArray[np.float64]
Matrix = NDArray[np.float64]

FINER = 2  # supersampling factor: warp at this multiple of the canvas and average, to antialias edges


@dataclass(frozen=True, slots=True)
class Ranges:
    """How a subject may be placed. Every value is drawn uniformly from its range."""

    scale: tuple[float, float] = (
        0.7,
        1.1,
    )  # relative to the subject's size with its image fitted to the canvas
    inside: float = 0.9  # share of the subject's box, along each axis, that stays on the canvas
    rotation: float = 10.0  # largest rotation in degrees, in either direction
    perspective: float = 0.12  # largest shift of a corner in either direction, as a share of the box's sides
    flip: bool = False  # mirror half of the subjects; off, because a class or caption may depend on the side


@dataclass(frozen=True, slots=True)
class Placement:
    """The transformation that takes one subject from its image to the canvas."""

    matrix: Matrix  # (3, 3): maps homogeneous pixel coordinates of the image to those of the canvas
    scale: float
    rotation: float  # degrees, clockwise
    position: tuple[float, float]  # centre of the subject's box, as shares of the canvas's width and height
    flipped: bool


def place(mask: Mask, canvas: tuple[int, int], ranges: Ranges, rng: np.random.Generator) -> Placement:
    """A random placement of the subject ``mask`` (H, W) on a canvas (width, height)."""
    left, top, right, bottom = bounding_box(mask)
    fitted = min(canvas[0] / mask.shape[1], canvas[1] / mask.shape[0])
    scale = float(rng.uniform(*ranges.scale))
    rotation = float(rng.uniform(-ranges.rotation, ranges.rotation))
    box = np.array([right - left, bottom - top]) * fitted * scale
    position = np.array(
        [_within(side, ranges.inside * size, rng) for side, size in zip(canvas, box, strict=True)]
    )
    moved = rng.uniform(-ranges.perspective, ranges.perspective, (4, 2)) * box
    flipped = bool(rng.random() < 0.5) and ranges.flip
    corners = (
        np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
        * box
        * ([-1, 1] if flipped else [1, 1])
    )
    cosine, sine = np.cos(np.radians(rotation)), np.sin(np.radians(rotation))
    wanted = (corners + moved) @ np.array([[cosine, sine], [-sine, cosine]]) + position
    before = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)
    x, y = position / canvas
    return Placement(homography(before, wanted), scale, rotation, (float(x), float(y)), flipped)


def _within(side: float, size: float, rng: np.random.Generator) -> float:
    """A random centre that keeps a box of ``size`` within 0 .. ``side``; the middle if the box is too large."""
    return float(rng.uniform(size / 2, side - size / 2)) if size < side else side / 2


def homography(before: Matrix, after: Matrix) -> Matrix:
    """The projective map (3, 3), with a last entry of 1, that takes four points (4, 2) to four others."""
    rows, targets = [], []
    for (x, y), (u, v) in zip(before, after, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        targets += [u, v]
    return np.append(np.linalg.solve(np.array(rows), np.array(targets)), 1.0).reshape(3, 3)


def warp(pixels: NDArray[np.uint8], matrix: Matrix, canvas: tuple[int, int]) -> NDArray[np.uint8]:
    """``pixels`` (H, W) or (H, W, 3) warped by ``matrix`` onto a canvas (width, height); 0 outside of them."""
    height, width = pixels.shape[:2]
    # Where the map shrinks the image, reduce it first: the bicubic sampling below does not average pixels.
    step = min(1.0, 2 * FINER * float(np.sqrt(abs(np.linalg.det(matrix[:2, :2])))))
    size = max(1, round(width * step)), max(1, round(height * step))
    image = Image.fromarray(pixels)
    if size != (width, height):
        image = image.resize(size, Image.Resampling.BOX)
    finer = np.diag([FINER, FINER, 1.0]) @ matrix @ np.diag([width / size[0], height / size[1], 1.0])
    inverse = np.linalg.inv(finer)
    coefficients = (inverse / inverse[2, 2]).ravel()[:8].tolist()
    drawn = image.transform(
        (canvas[0] * FINER, canvas[1] * FINER),
        Image.Transform.PERSPECTIVE,
        coefficients,
        Image.Resampling.BICUBIC,
    )
    return np.asarray(drawn.reduce(FINER))


def soften(alpha: NDArray[np.uint8]) -> Alpha:
    """Opacity (H, W) in 0 .. 1 from a warped mask (H, W) in 0 .. 255, with a soft and slightly inset edge."""
    from scipy import ndimage

    blurred = ndimage.gaussian_filter(alpha.astype(np.float64) / 255, max(0.5, min(alpha.shape) / 160))
    return np.asarray(np.clip(blurred * 1.5 - 0.4, 0, 1))


def blend(subject: Pixels, alpha: Alpha, background: Pixels) -> Pixels:
    """``subject`` over ``background``, both (H, W, 3) uint8, with opacity ``alpha`` (H, W) in 0 .. 1."""
    mixed = alpha[..., None] * subject + (1 - alpha[..., None]) * background
    return np.rint(mixed).astype(np.uint8)


def fill(pixels: Pixels, hole: Mask) -> Pixels:
    """``pixels`` with the ``hole`` (H, W) filled smoothly from its surroundings (pull-push, Gortler et al. 1996).

    An image that is all hole is returned unchanged.
    """
    if hole.all() or not hole.any():
        return pixels
    known = (~hole).astype(np.float64)[..., None]
    filled = _pull_push(pixels * known, known)
    return np.where(hole[..., None], np.rint(filled), pixels).astype(np.uint8)


def _pull_push(weighted: Alpha, weights: Alpha) -> Alpha:
    """Colours (H, W, 3) from weighted sums and weights; where the weight is below 1, filled from a coarser level."""
    height, width = weights.shape[:2]
    colours = weighted / np.maximum(weights, 1e-12)
    if weights.min() > 0 or max(height, width) == 1:
        return colours
    pad = ((0, height % 2), (0, width % 2), (0, 0))
    coarse = [_halved(np.pad(each, pad)) for each in (weighted, weights)]
    # Clip the weights at 1, so that partly known pixels contribute in part.
    full = np.minimum(coarse[1], 1)
    coarser = _pull_push(coarse[0] / np.maximum(coarse[1], 1e-12) * full, full)
    smooth = _doubled(coarser)[:height, :width]
    share = np.minimum(weights, 1)
    return np.asarray(share * colours + (1 - share) * smooth)


def _halved(values: Alpha) -> Alpha:
    """Half the size: each value is the sum of a block of 2 x 2."""
    return np.asarray(values[::2, ::2] + values[1::2, ::2] + values[::2, 1::2] + values[1::2, 1::2])


def _doubled(values: Alpha) -> Alpha:
    """Twice the size, by bilinear interpolation."""
    for axis in (0, 1):
        first, last = values.take([0], axis), values.take([-1], axis)
        padded = np.concatenate([first, values, last], axis)
        count = values.shape[axis]
        before, after = padded.take(range(count), axis), padded.take(range(2, count + 2), axis)
        pairs = np.stack([0.75 * values + 0.25 * before, 0.75 * values + 0.25 * after], axis + 1)
        shape = list(values.shape)
        shape[axis] *= 2
        values = pairs.reshape(shape)
    return values
