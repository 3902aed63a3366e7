from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from synthaug.measures.border import border_luminance, dark_share


def test_only_the_border_counts() -> None:
    image = np.zeros((1, 5, 7, 3), np.uint8)
    image[0, 1:-1, 1:-1] = 255  # 3 x 5 white pixels inside a black frame of 20
    assert border_luminance(image, 1).tolist() == [0.0]
    image[0, 0, 0] = 255
    assert border_luminance(image, 1) == pytest.approx([1 / 20])


def test_a_wider_border_reaches_further_in() -> None:
    image = np.zeros((1, 5, 7, 3), np.uint8)
    image[0, 1:-1, 1:-1] = 255
    # Two pixels wide: 35 - 1 * 3 pixels, of which 15 - 3 are white.
    assert border_luminance(image, 2) == pytest.approx([12 / 32])
    assert border_luminance(image, 3) == pytest.approx([15 / 35])


@pytest.mark.parametrize(
    ("color", "luma"), [((255, 0, 0), 0.2126), ((0, 255, 0), 0.7152), ((0, 0, 255), 0.0722), ((51,) * 3, 0.2)]
)
def test_the_weights_are_those_of_rec_709(color: tuple[int, int, int], luma: float) -> None:
    images = np.tile(np.array(color, np.uint8), (2, 4, 4, 1))
    assert border_luminance(images) == pytest.approx([luma, luma])


@given(arrays(np.uint8, (2, 6, 5, 3)), st.integers(1, 7))
def test_border_luminance_is_the_luma_of_the_mean_border_pixel(images: np.ndarray, width: int) -> None:
    for image, value in zip(images, border_luminance(images, width), strict=True):
        pixels = [
            Image.fromarray(image).getpixel((x, y))
            for y in range(6)
            for x in range(5)
            if min(x, y, 4 - x, 5 - y) < width
        ]
        lumas = [0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in pixels]
        assert value == pytest.approx(sum(lumas) / len(lumas) / 255)


def test_an_empty_batch_has_no_luminances() -> None:
    assert border_luminance(np.zeros((0, 4, 4, 3), np.uint8)).shape == (0,)


def test_invalid_images_and_widths_are_refused() -> None:
    with pytest.raises(ValueError, match="uint8"):
        border_luminance(np.zeros((1, 4, 4, 3)))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least 1 pixel"):
        border_luminance(np.zeros((1, 4, 4, 3), np.uint8), 0)
    with pytest.raises(ValueError, match="at least one value"):
        dark_share(np.zeros(0), 0.2)


def test_dark_is_below_the_threshold() -> None:
    assert dark_share(np.array([0.1, 0.2, 0.3, 0.15]), 0.2) == 0.5
