"""scikit-learn's 1,797 handwritten digits (8x8, from UCI's optical recognition set) as 32x32 RGB images.

The conversion and the split must not change: the shipped generators were trained on this training split, and every
result on the digits is measured on this test split.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from synthaug.records import Pixels

IMAGE_SIZE = 32  # pixels a side
TEST_SIZE = 500  # images, stratified by class
SPLIT_SEED = 0


def digit_pixels(ink: NDArray[np.float64]) -> Pixels:
    """A digit (8, 8) with ink in 0 .. 16, enlarged bicubically to white strokes on black (32, 32, 3) uint8."""
    gray = Image.fromarray(np.rint(ink * 255 / 16).astype(np.uint8))
    enlarged = gray.resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BICUBIC)
    return np.repeat(np.asarray(enlarged)[:, :, None], 3, axis=2)


def digits_arrays() -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.bool_]]:
    """``images (1797, 32, 32, 3) uint8``, ``labels (1797,) int64`` in 0 .. 9, ``is_test (1797,) bool``."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    labels = digits.target.astype(np.int64)
    images = np.stack([digit_pixels(ink) for ink in digits.images])
    _, test = train_test_split(
        np.arange(len(labels)), test_size=TEST_SIZE, stratify=labels, random_state=SPLIT_SEED
    )
    is_test = np.zeros(len(labels), dtype=np.bool_)
    is_test[test] = True
    return images, labels, is_test
