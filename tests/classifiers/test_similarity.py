"""Similarity transforms of images with landmarks, against the scheme's own angles and points drawn as pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from synthaug.classifiers.landmarks import angles_of, output_names
from synthaug.classifiers.similarity import SCALE, variants, with_variants
from synthaug.landmarks.scheme import load_scheme

HIP = load_scheme("hip")
NAMES = output_names(HIP)
SIDE = 101


def drawn(count: int, dtype: type = np.uint8) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, 101, 101, 3), black but for a disc of radius 3 around the left head, and landmarks (N, 10)."""
    shares = np.random.default_rng(0).uniform(0.35, 0.65, (count, len(NAMES)))
    rows, columns = np.mgrid[:SIDE, :SIDE]
    images = np.zeros((count, SIDE, SIDE, 3), dtype)
    for image, (x, y) in zip(images, shares[:, :2], strict=True):
        image[np.hypot(columns + 0.5 - x * SIDE, rows + 0.5 - y * SIDE) < 3] = np.iinfo(dtype).max
    return images, shares


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_pixels_move_as_their_landmarks(dtype: type) -> None:
    images, shares = drawn(12, dtype)
    varied, transforms = variants(images, 1)
    moved = transforms.moved(shares, NAMES)
    assert varied.dtype == dtype
    assert np.abs(moved - shares).max() > 0.03
    for image, (x, y) in zip(varied, moved[:, :2], strict=True):
        bright = image[..., 0] > image.max() / 2 + image.min() / 2
        rows, columns = np.nonzero(bright)
        assert (columns.mean() + 0.5, rows.mean() + 0.5) == pytest.approx((x * SIDE, y * SIDE), abs=0.6)


def test_angles_stay_and_radii_are_scaled_as_distances_are() -> None:
    images, shares = drawn(8)
    moved = variants(images, 2)[1].moved(shares, NAMES)
    before, after = (angles_of(HIP, torch.tensor(each)).numpy() for each in (shares, moved))
    np.testing.assert_allclose(after, before, atol=1e-6)
    left, right = (NAMES.index(f"{side}_head.x") for side in ("left", "right"))

    def distances(rows: np.ndarray) -> np.ndarray:
        return np.hypot(*(rows[:, left : left + 2] - rows[:, right : right + 2]).T)

    scales = distances(moved) / distances(shares)
    assert (np.abs(scales - 1) <= SCALE).all()
    radius = NAMES.index("left_head.radius")
    np.testing.assert_allclose(moved[:, radius] / shares[:, radius], scales)


def test_originals_come_first_and_every_variant_differs() -> None:
    images, shares = drawn(5)
    varied, moved = with_variants(images, shares, NAMES, 2, 3)
    assert varied.shape == (15, SIDE, SIDE, 3)
    np.testing.assert_array_equal(varied[:5], images)
    np.testing.assert_array_equal(moved[:5], shares)
    assert len({row.tobytes() for row in moved}) == 15
    again = with_variants(images, shares, NAMES, 2, 3)
    np.testing.assert_array_equal(varied, again[0])
    assert len(with_variants(images, shares, NAMES, 0, 3)[0]) == 5


def test_landmarks_come_back_from_where_they_were_moved() -> None:
    images, shares = drawn(6)
    _, transforms = variants(images, 4)
    moved = transforms.moved(shares, NAMES)
    assert np.abs(moved - shares).max() > 0.03
    np.testing.assert_allclose(transforms.moved_back(moved, NAMES), shares, atol=1e-12)


def test_images_changed_alike_do_not_depend_on_their_neighbours() -> None:
    images, shares = drawn(5)
    together, transforms = variants(images, 6, 0.5, alike=True)
    alone, same = variants(images[3:4], 6, 0.5, alike=True)
    np.testing.assert_array_equal(together[3:4], alone)
    np.testing.assert_array_equal(transforms.moved(shares, NAMES)[3:4], same.moved(shares[3:4], NAMES))
    assert np.abs(transforms.scales - 1).max() <= SCALE / 2
    assert len({row.tobytes() for row in variants(images, 6)[1].shifts}) == 5
