from __future__ import annotations

import re

import numpy as np
import pytest

from synthaug.generator_training.digit_captions import (
    DIGIT_WORDS,
    digit_caption,
    slant,
    slant_word,
    stroke_width,
    weight_word,
)
from synthaug.generator_training.digits import augment_digit
from synthaug.importers.digits import digits_arrays
from synthaug.records import Pixels


def bar(width: int, height: int = 28, shear: float = 0.0) -> Pixels:
    """A white bar on black, its top moved ``shear`` pixels to the right per pixel of height."""
    gray = np.zeros((32, 32), np.uint8)
    for row in range(2, 2 + height):
        left = round(16 - width / 2 + shear * (16 - row))
        gray[row, left : left + width] = 255
    return np.repeat(gray[:, :, None], 3, axis=2)


@pytest.mark.parametrize(("width", "height"), [(3, 28), (6, 28), (10, 20)])
def test_stroke_width_of_a_rectangle_is_twice_its_area_over_its_perimeter(width: int, height: int) -> None:
    expected = 2 * width * height / (2 * (width + height))
    assert stroke_width(bar(width, height)) == pytest.approx(expected, rel=0.02)


def test_stroke_width_does_not_depend_on_brightness() -> None:
    assert stroke_width(bar(5) // 3) == pytest.approx(stroke_width(bar(5)))


@pytest.mark.parametrize("shear", [-0.5, -0.25, 0.0, 0.25, 0.5])
def test_slant_is_the_angle_of_a_sheared_bar(shear: float) -> None:
    assert slant(bar(5, shear=shear)) == pytest.approx(np.degrees(np.arctan(shear)), abs=1.5)


def test_a_mirrored_image_slants_the_other_way() -> None:
    image = bar(5, shear=0.3)
    assert slant(image[:, ::-1]) == pytest.approx(-slant(image))


def test_words_for_hand_made_ones() -> None:
    one = DIGIT_WORDS.index("one")
    assert [weight_word(bar(width), one) for width in (4, 9, 14)] == ["thin", "", "bold"]
    assert slant_word(bar(5, shear=-0.3), one) == "slanted left"
    assert slant_word(bar(5), one) == "upright"
    assert slant_word(bar(5, shear=0.3), one) == "slanted right"


def test_a_blank_image_can_be_captioned() -> None:
    blank = np.zeros((32, 32, 3), np.uint8)
    assert stroke_width(blank) == slant(blank) == 0
    assert "five" in digit_caption(blank, 5, np.random.default_rng(0)).replace("5", "five")


def test_every_caption_names_its_digit_and_says_only_what_was_measured() -> None:
    images, labels, _ = digits_arrays()
    rng = np.random.default_rng(0)
    for image, label in zip(images[:300], labels[:300].tolist(), strict=True):
        words = set(re.findall(r"\w+", digit_caption(image, label, rng)))
        assert words & {*DIGIT_WORDS, *"0123456789"} in ({DIGIT_WORDS[label]}, {str(label)})
        assert words & {"thin", "bold"} <= {weight_word(image, label)}
        assert words & {"slanted", "left", "right", "upright"} <= set(slant_word(image, label).split())


def test_augmentation_keeps_shape_type_and_most_of_the_ink() -> None:
    images, _, _ = digits_arrays()
    rng = np.random.default_rng(0)
    for image in images[:50]:
        changed = augment_digit(image, rng)
        assert changed.shape == image.shape
        assert changed.dtype == np.uint8
        assert 0.5 < changed.sum() / image.sum() < 1.6
