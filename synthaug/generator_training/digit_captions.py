"""Captions of handwritten digits, with stroke weight and slant measured from the pixels."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from synthaug.records import Pixels

DIGIT_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

# A six leans left and a one is all stroke, so stroke weight and slant are compared with the median of the same digit,
# measured on the training split.
TYPICAL_WIDTH = (5.72, 7.03, 6.04, 5.73, 6.30, 5.73, 6.10, 6.12, 6.23, 5.79)  # pixels at 32x32, by digit
TYPICAL_SLANT = (-1.7, -0.4, -8.1, -4.5, 0.5, -0.6, -11.3, 7.4, -0.3, -5.1)  # degrees, by digit
THIN_BELOW = 0.93  # ratio of the stroke width to the typical one
BOLD_ABOVE = 1.07
SLANTED_BEYOND = 5.0  # degrees from the typical slant

PHRASES = (
    "a {weight} handwritten digit {word} {lean}",
    "a {weight} handwritten digit {word}, {lean}",
    "a {lean} {weight} handwritten digit {word}",
    "a {weight} digit {word} {lean}",
    "a photo of a {weight} digit {word} {lean}",
    "a photo of the digit {word} {lean}",
    "a drawing of a {lean} {weight} {word}",
    "an image of the number {word}, {lean}",
    "{weight} {lean} {word}",
    "{weight} {word} {lean}",
    "handwritten {word}",
    "{word}",
)
"""Caption templates; ``{word}`` is the digit as a word or a numeral, the other fields may be empty."""


def stroke_width(pixels: Pixels) -> float:
    """Mean stroke width in pixels: twice the area of the ink divided by its perimeter (total variation); 0 if blank."""
    ink = _ink(pixels)
    padded = np.pad(ink, 1)
    down = np.diff(padded, axis=0)[:, :-1]
    across = np.diff(padded, axis=1)[:-1, :]
    perimeter = float(np.hypot(down, across).sum())
    return 2 * float(ink.sum()) / perimeter if perimeter > 0 else 0.0


def slant(pixels: Pixels) -> float:
    """Slant of the strokes in degrees from upright, positive to the right: atan(-mu11 / mu02); 0 if blank."""
    ink = _ink(pixels)
    mass = float(ink.sum())
    if mass == 0:
        return 0.0
    y, x = np.mgrid[: ink.shape[0], : ink.shape[1]]
    y = y - (ink * y).sum() / mass
    x = x - (ink * x).sum() / mass
    vertical = float((ink * y * y).sum())
    if vertical == 0:
        return 0.0
    return float(np.degrees(np.arctan(-(ink * x * y).sum() / vertical)))


def weight_word(pixels: Pixels, digit: int) -> str:
    """``"thin"``, ``"bold"`` or, in between, ``""``: the stroke width compared with the typical one of the digit."""
    ratio = stroke_width(pixels) / TYPICAL_WIDTH[digit]
    return "thin" if ratio < THIN_BELOW else "bold" if ratio > BOLD_ABOVE else ""


def slant_word(pixels: Pixels, digit: int) -> str:
    """``"slanted left"``, ``"slanted right"`` or ``"upright"``, compared with the typical slant of the digit."""
    lean = slant(pixels) - TYPICAL_SLANT[digit]
    return (
        "slanted left" if lean < -SLANTED_BEYOND else "slanted right" if lean > SLANTED_BEYOND else "upright"
    )


def digit_caption(pixels: Pixels, digit: int, rng: np.random.Generator) -> str:
    """A caption of the image in a random phrasing; weight and slant are each left out at random."""
    text = PHRASES[rng.integers(len(PHRASES))].format(
        word=DIGIT_WORDS[digit] if rng.random() < 0.75 else digit,
        weight=weight_word(pixels, digit) if rng.random() < 0.7 else "",
        lean=slant_word(pixels, digit) if rng.random() < 0.6 else "",
    )
    text = " ".join(text.split()).rstrip(" ,")
    # Prompt templates do not inflect articles, so the model has to know both forms.
    return re.sub(r"\ba (?=[aeiu8])", "an ", text) if rng.random() < 0.7 else text


def _ink(pixels: Pixels) -> NDArray[np.float64]:
    """Intensity of the strokes (H, W), in 0 .. 1."""
    ink: NDArray[np.float64] = pixels.mean(axis=2) / 255.0
    return ink
