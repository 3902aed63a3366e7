"""Is something of the test split in a training view: the image itself, or one that nearly repeats it?

An image is stored once, by the hash of its pixels, and has one split; so the same pixels cannot stand in both.
Near-duplicates (the same photo brightened, recompressed or shifted a little) are found without a model: both
images are reduced to antialiased thumbnails, and these are compared after removing their brightness and contrast.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthaug.errors import ViewError
from synthaug.measures.neighbors import nearest_neighbors
from synthaug.stages.pixels import in_batches, load_pixels
from synthaug.store import catalog, views
from synthaug.workspace import Workspace

SIDE = 8
"""Pixels of a thumbnail's side: coarse, so that recompression and small shifts hardly count."""
THRESHOLD = 0.4
"""Near-duplicates are at most this share of the usual distance apart, which fits itself to what the images are.

Measured on CIFAR-10, 50,000 x 10,000, with the share of pairs of one class: 224 training images lie within 0.35
(99.6%), 332 within 0.4 (94%; 235 test images), 521 within 0.45 (87%). Of scikit-learn's digits, all much alike, 3 of
1,297 lie within 0.4. The false ones are bare horizons: sea or runway below, sky above. People found near-duplicates
of 3.3% of CIFAR-10's test images (Barz & Denzler 2020).
"""
_BATCH = 4096


@dataclass(frozen=True, slots=True)
class NearDuplicate:
    """A training image and the test image that it is nearest to.

    ``distance``: 0 = the same picture at whatever brightness and contrast, 1 = as far as a test image usually is
    from its nearest neighbour in the test split (the median).
    """

    image_id: int
    sha256: str
    test_image_id: int
    test_sha256: str
    distance: float


@dataclass(frozen=True, slots=True)
class Leakage:
    """What a view has of the test split."""

    exact: list[str]  # hashes of members that belong to the test split; none in a view that was made here
    near: list[NearDuplicate]  # nearest first
    checked: int  # how many different images were compared


def check_leakage(workspace: Workspace, view: str, threshold: float = THRESHOLD) -> Leakage:
    """Compare a view's images, real and synthetic, with the real test images. Raises UnknownName, ViewError."""
    if not 0 <= threshold < 1:
        raise ViewError(f"the threshold is {threshold:g}; it must lie from 0 to below 1, the usual distance")
    frozen = views.by_name(workspace.db, view)
    members = views.members(workspace.db, frozen.id)
    exact = {member.sha256 for member in members if member.split == "test"}
    trained = {member.image_id: member.sha256 for member in members if member.split == "train"}
    return Leakage(sorted(exact), near_test_images(workspace, trained, threshold), len(exact) + len(trained))


def near_test_images(
    workspace: Workspace, hashes: Mapping[int, str], threshold: float = THRESHOLD
) -> list[NearDuplicate]:
    """Those of the images (id -> hash) whose nearest test image lies within ``threshold``, nearest first."""
    test = catalog.find_images(workspace.db, split="test", origin="real")
    if len(test) < 2:
        raise ViewError(
            f"there are {len(test)} real test images to compare with; import more with --split test"
        )
    if not hashes:
        return []
    ids = list(hashes)
    features = _thumbnails_of(workspace, list(hashes.values()))
    reference = _thumbnails_of(workspace, [image.sha256 for image in test])
    usual = float(np.median(nearest_neighbors(reference, 1)[0]))
    distances, nearest = nearest_neighbors(features, 1, reference)
    found = []
    for row in np.flatnonzero((distances[:, 0] <= threshold * usual) & features.any(1)):
        match = test[int(nearest[row, 0])]
        found.append(
            NearDuplicate(
                ids[row], hashes[ids[row]], match.id, match.sha256, float(distances[row, 0]) / usual
            )
        )
    return sorted(found, key=lambda each: each.distance)


def thumbnails(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Thumbnails (N, S, S, 3) as vectors (N, 3 S S) of mean 0 (a channel) and length 1.

    The distance of two is sqrt(2 (1 - r)), r being the correlation of the thumbnails: 0 for one picture at any
    brightness and contrast, 1.41 for unrelated ones. An image without contrast has length 0 and is near to none.
    """
    values = images.astype(np.float32)
    values -= values.mean(axis=(1, 2), keepdims=True)
    vectors = values.reshape(len(values), -1)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    features: NDArray[np.float32] = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return features


def _thumbnails_of(workspace: Workspace, hashes: Sequence[str]) -> NDArray[np.float32]:
    batches = [
        thumbnails(load_pixels(workspace, hashes[rows], SIDE)) for rows in in_batches(len(hashes), _BATCH)
    ]
    return np.concatenate(batches)
