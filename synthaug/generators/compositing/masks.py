"""Where the subject of a picture is, told by the colours at its border: no model, no download."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from synthaug.generators.compositing.colour import to_lab
from synthaug.generators.compositing.mixtures import Mixture, minimum_cut
from synthaug.records import Pixels

Mask = NDArray[np.bool_]

WORKING_SIDE = 96
"""Pixels of the longer side that is looked at; a larger picture is reduced, and its mask enlarged."""

RING = 0.06  # of the shorter side: how wide the border is
NEAR = 3.0  # standard deviations: closer to the border's colours is background
SMALLEST = 0.01  # of the picture: less than this is no subject
PIECE = 0.2  # of the largest piece: smaller ones are dropped
HOLE = 0.02  # of the picture: smaller holes are filled, larger ones show the background
SMOOTHNESS = 4.0  # nats for parting two like neighbours
RARE = 0.15  # of the border: a colour with less may be the subject's, where it reaches the edge
CENTRED = 2.0  # nats for a subject in the centre, and as many against one in the corners
BACKGROUND_COLOURS = 5
SUBJECT_COLOURS = 5
ROUNDS = 3


def subject_mask(pixels: Pixels) -> Mask:
    """(H, W), true on the subject: what differs in colour from the picture's border.

    The colours of the border ring, a few Gaussians in Lab, stand for the background; what is far from them and near
    the centre starts as the subject, and both colour models and a minimum cut between them are then refined in turn
    (GrabCut, Rother et al. 2004). Small pieces are dropped and small holes filled. All false where nothing differs
    from the border; where all is subject, the part that its own border's colours do not explain.
    """
    height, width = pixels.shape[:2]
    scale = min(1.0, WORKING_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = pixels if scale == 1 else np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX))
    mask = tidy(_cut_out(small))
    return mask if scale == 1 else _enlarged(mask, (width, height))


def border(height: int, width: int) -> Mask:
    """(H, W), true on the ring at the picture's edge."""
    thickness = max(1, round(RING * min(height, width)))
    ring = np.ones((height, width), bool)
    ring[thickness:-thickness, thickness:-thickness] = False
    return ring


def tidy(mask: Mask) -> Mask:
    """``mask`` without small pieces and small holes; all false where what is left is too small for a subject."""
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
    """Left, top, right, bottom in pixels, the last two exclusive, of a mask that is not empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def ellipse(height: int, width: int) -> Mask:
    """(H, W): the middle of a picture that shows no subject of its own."""
    rows = (np.arange(height)[:, None] + 0.5) / height * 2 - 1
    columns = (np.arange(width) + 0.5) / width * 2 - 1
    return np.asarray(rows**2 + columns**2 <= 0.8**2)


def described(mask: Mask) -> dict[str, Any]:
    """Area (share), box (pixels) and runs: lengths of false, true, false ... down the columns (COCO's order)."""
    flat = mask.ravel(order="F")
    turns = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff(np.concatenate([[0], turns, [flat.size]])).tolist()
    return {
        "area": float(mask.mean()),
        "box": list(bounding_box(mask)),
        "size": [mask.shape[1], mask.shape[0]],
        "runs": [0, *runs] if flat[0] else runs,
    }


def _cut_out(pixels: Pixels) -> Mask:
    """The subject of a small picture, before tidying."""
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
    """(H, W): half of what a subject's place speaks for it, in nats; 0 on the ellipse that fills half the sides."""
    rows, columns = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)
    return CENTRED * np.clip(0.5 - (rows**2 + columns**2) / 1.5, -0.5, 0.5)


def _otsu(values: NDArray[np.float64]) -> float:
    """The threshold that parts values into two groups of least spread (Otsu 1979)."""
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
    """``mask`` at ``size`` (width, height), its edge smooth."""
    gray = Image.fromarray(mask.astype(np.uint8) * 255).resize(size, Image.Resampling.BICUBIC)
    return np.asarray(np.asarray(gray) > 127)
