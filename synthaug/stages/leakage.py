"""Checking a training view for leakage: test images, and near-duplicates of test images.

An image is stored once, by the hash of its pixels, and belongs to one split, so that the same pixels cannot be in both.
Near-duplicates (the same photo brightened, recompressed or slightly shifted) are found without a model: images are
reduced to antialiased thumbnails, which are compared after normalising brightness and contrast.
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
"""Side of a thumbnail in pixels: coarse, so that recompression and small shifts hardly matter."""
THRESHOLD = 0.4
"""Largest distance between near-duplicates, relative to the median distance between nearest test images.

Measured on CIFAR-10 (50,000 x 10,000), with the share of pairs that have the same class: 224 training images lie within
0.35 (99.6%), 332 within 0.4 (94%; 235 test images), 521 within 0.45 (87%). Of scikit-learn's digits, which are all
similar, 3 of 1,297 lie within 0.4. False matches are bare horizons: sea or runway below, sky above. People found
near-duplicates of 3.3% of the test images of CIFAR-10 (Barz & Denzler 2020).
"""
_BATCH = 4096


@dataclass(frozen=True, slots=True)
class NearDuplicate:
    """A training image and its nearest test image.

    ``distance`` is 0 for the same picture at any brightness and contrast, and 1 for the median distance between a
    test image and its nearest neighbour in the test split.
    """

    image_id: int
    sha256: str
    test_image_id: int
    test_sha256: str
    distance: float


@dataclass(frozen=True, slots=True)
class Leakage:
    """The test images in a view, and the near-duplicates of test images."""

    exact: list[str]  # hashes of members of the test split; always empty for a view created by synthaug
    near: list[NearDuplicate]  # nearest first
    checked: int  # number of distinct images that were compared


def check_leakage(workspace: Workspace, view: str, threshold: float = THRESHOLD) -> Leakage:
    """Compare all images of a view with the real test images.

    Raises UnknownName for an unknown view, and ViewError for a threshold outside 0..1 or fewer than 2 test images.
    """
    if not 0 <= threshold < 1:
        raise ViewError(f"the threshold is {threshold:g}; it must be at least 0 and below 1")
    frozen = views.by_name(workspace.db, view)
    members = views.members(workspace.db, frozen.id)
    exact = {member.sha256 for member in members if member.split == "test"}
    trained = {member.image_id: member.sha256 for member in members if member.split == "train"}
    return Leakage(sorted(exact), near_test_images(workspace, trained, threshold), len(exact) + len(trained))


def near_test_images(
    workspace: Workspace, hashes: Mapping[int, str], threshold: float = THRESHOLD
) -> list[NearDuplicate]:
    """The near-duplicates of test images, within ``threshold``, among the images (id -> hash); nearest first."""
    test = catalog.find_images(workspace.db, split="test", origin="real")
    if len(test) < 2:
        raise ViewError(
            f"a comparison needs at least 2 real test images, not {len(test)}; import more with --split test"
        )
    if not hashes:
        return []
    ids = list(hashes)
    features = _thumbnails_of(workspace, list(hashes.values()))
    reference = _thumbnails_of(workspace, [image.sha256 for image in test])
    median_distance = float(np.median(nearest_neighbors(reference, 1)[0]))
    distances, nearest = nearest_neighbors(features, 1, reference)
    found = []
    for row in np.flatnonzero((distances[:, 0] <= threshold * median_distance) & features.any(1)):
        match = test[int(nearest[row, 0])]
        found.append(
            NearDuplicate(
                ids[row], hashes[ids[row]], match.id, match.sha256, float(distances[row, 0]) / median_distance
            )
        )
    return sorted(found, key=lambda each: each.distance)


def thumbnails(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Thumbnails (N, S, S, 3) uint8 as vectors (N, 3 S S) with a mean of 0 per channel and a length of 1.

    The distance between two is sqrt(2 (1 - r)), where r is the correlation of the thumbnails: 0 for the same picture
    at any brightness and contrast, 1.41 for unrelated pictures. An image without contrast becomes a vector of zeros.
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
