"""Finding the subject of an image from the colours along its border, without any model."""

from __future__ import annotations

from typing import TypedDict

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from synthaug.generators.compositing.colour import to_lab
from synthaug.generators.compositing.mixtures import Mixture, minimum_cut
from synthaug.records import Pixels

Mask = NDArray[np.bool_]

WORKING_SIDE = 96
"""Longer side in pixels at which masks are computed; larger images are reduced and their masks enlarged."""

RING = 0.06  # width of the border, as a share of the shorter side
NEAR = 3.0  # standard deviations from the border's colours below which a pixel is background
SMALLEST = 0.01  # share of the image that a subject must cover
PIECE = 0.2  # pieces smaller than this share of the largest one are dropped
HOLE = 0.02  # holes smaller than this share of the image are filled; larger ones show the background
SMOOTHNESS = 4.0  # cost in nats of a boundary between two similar neighbours
RARE = 0.15  # border colours below this share may belong to a subject that reaches the edge
CENTRED = 2.0  # nats in favour of a subject in the centre, and against one in the corners
BACKGROUND_COLOURS = 5
SUBJECT_COLOURS = 5
ROUNDS = 3


def subject_mask(pixels: Pixels) -> Mask:
    """Mask (H, W), true on the subject: the part that differs in colour from the border of the image.

    A mixture of Gaussians in Lab, fitted to a ring along the border, models the background. Pixels that are far from
    it and near the centre form the first mask; then colour models of both sides and a minimum cut between them are
    refined in turn (GrabCut, Rother et al. 2004). Small pieces are dropped and small holes filled. The mask is all
    false where nothing differs from the border. Where the subject fills the image, the mask covers the part whose
    colours do not occur along the border.
    """
    height, width = pixels.shape[:2]
    scale = min(1.0, WORKING_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = pixels if scale == 1 else np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX))
    mask = tidy(_cut_out(small))
    return mask if scale == 1 else _enlarged(mask, (width, height))


def border(height: int, width: int) -> Mask:
    """Mask (H, W), true on a ring along the edge of the image."""
    thickness = max(1, round(RING * min(height, width)))
    ring = np.ones((height, width), bool)
    ring[thickness:-thickness, thickness:-thickness] = False
    return ring


def tidy(mask: Mask) -> Mask:
    """``mask`` without small pieces and small holes; all false if what remains is too small for a subject."""
    from scipy import ndimage

    holes, count = ndimage.label(~mask)
    sizes = np.bincount(holes.ravel(), minlength=count + 1)
    small = np.flatnonzero(sizes < HOLE * mask.size)
    inner = np.setdiff1d(small, np.unique(holes[border(*mask.shape)]))
    mask = mask | np.isin(holes, inner[inner > 0])
    pieces, count = ndimage.label(mask, np.ones((3, 3)))
    if not count:
        return mask
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)[1:]
    kept: Mask = np.isin(pieces, 1 + np.flatnonzero(sizes >= PIECE * sizes.max()))
    return kept if kept.mean() >= SMALLEST else np.zeros_like(mask)


def bounding_box(mask: Mask) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of a nonempty mask in pixels; right and bottom are exclusive."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def ellipse(height: int, width: int) -> Mask:
    """Mask (H, W) of a central ellipse, used for an image in which no subject is found."""
    rows = (np.arange(height)[:, None] + 0.5) / height * 2 - 1
    columns = (np.arange(width) + 0.5) / width * 2 - 1
    return np.asarray(rows**2 + columns**2 <= 0.8**2)


class MaskDescription(TypedDict):
    """A mask as JSON; the run-length encoding is COCO's."""

    area: float  # share of the image
    box: list[int]  # left, top, right, bottom in pixels
    size: list[int]  # width and height of the image in pixels
    runs: list[int]  # lengths of false, true, false ... runs, column by column


def described(mask: Mask) -> MaskDescription:
    """The area, the bounding box and the run-length encoding of a nonempty mask (H, W)."""
    flat = mask.ravel(order="F")
    changes = np.flatnonzero(np.diff(flat)) + 1
    runs: list[int] = np.diff(np.concatenate([[0], changes, [flat.size]])).tolist()
    return {
        "area": float(mask.mean()),
        "box": list(bounding_box(mask)),
        "size": [mask.shape[1], mask.shape[0]],
        "runs": [0, *runs] if flat[0] else runs,
    }


def _cut_out(pixels: Pixels) -> Mask:
    """The subject's mask (H, W) in a small image, before :func:`tidy`."""
    lab = to_lab(pixels)
    colours = lab.reshape(-1, 3)
    ring = border(*lab.shape[:2])
    around = Mixture.fit(lab[ring], BACKGROUND_COLOURS).without_rare(RARE)
    far = np.sqrt(around.distances(colours).min(1)).reshape(ring.shape)
    central = _central(*ring.shape)
    if far.max() <= NEAR:
        return np.zeros_like(ring)
    mask: Mask = (far > min(NEAR, _otsu(far))) & (central > -CENTRED / 2)
    for _ in range(ROUNDS):
        if not mask.any() or mask.all():
            break
        background = Mixture.fit(lab[~mask], BACKGROUND_COLOURS).costs(colours).reshape(ring.shape)
        subject = Mixture.fit(lab[mask], SUBJECT_COLOURS).costs(colours).reshape(ring.shape)
        found = minimum_cut(background + central, subject - central, lab, SMOOTHNESS)
        if np.array_equal(found, mask):
            break
        mask = found
    return mask


def _central(height: int, width: int) -> NDArray[np.float64]:
    """Half the log odds (H, W) of the subject by position, in nats: positive near the centre, else negative."""
    rows, columns = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)
    return CENTRED * np.clip(0.5 - (rows**2 + columns**2) / 1.5, -0.5, 0.5)


def _otsu(values: NDArray[np.float64]) -> float:
    """The threshold that splits the values into two groups with the least variance within them (Otsu 1979)."""
    ordered = np.sort(values, axis=None)
    below = np.arange(1, len(ordered))
    sums = np.cumsum(ordered)
    low, high = sums[:-1] / below, (sums[-1] - sums[:-1]) / (len(ordered) - below)
    if not len(below):
        return float(ordered[0])
    between = below * (len(ordered) - below) * (high - low) ** 2
    best = int(between.argmax())
    return float(ordered[best] + ordered[best + 1]) / 2


def _enlarged(mask: Mask, size: tuple[int, int]) -> Mask:
    """``mask`` enlarged to ``size`` (width, height), with smooth edges."""
    gray = Image.fromarray(mask.astype(np.uint8) * 255).resize(size, Image.Resampling.BICUBIC)
    return np.asarray(np.asarray(gray) > 127)
