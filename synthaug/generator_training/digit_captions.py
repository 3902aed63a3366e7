"""What the digits' captions say, and how it is measured from the pixels: weight, slant, phrasing."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from synthaug.records import Pixels

DIGIT_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

# A six leans left and a one is all stroke, so weight and lean are judged against the digit's own median,
# measured on the train split.
TYPICAL_WIDTH = (5.72, 7.03, 6.04, 5.73, 6.30, 5.73, 6.10, 6.12, 6.23, 5.79)  # pixels at 32x32, by digit
TYPICAL_SLANT = (-1.7, -0.4, -8.1, -4.5, 0.5, -0.6, -11.3, 7.4, -0.3, -5.1)  # degrees, by digit
THIN_BELOW = 0.93  # stroke width over the typical one
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
"""Captions to fill in; ``{word}`` is the digit in words or as a figure, the others may be empty."""


def stroke_width(pixels: Pixels) -> float:
    """Mean stroke width in pixels: twice the ink's area over its perimeter (total variation); 0 if blank."""
    ink = _ink(pixels)
    padded = np.pad(ink, 1)
    down = np.diff(padded, axis=0)[:, :-1]
    across = np.diff(padded, axis=1)[:-1, :]
    perimeter = float(np.hypot(down, across).sum())
    return 2 * float(ink.sum()) / perimeter if perimeter > 0 else 0.0


def slant(pixels: Pixels) -> float:
    """Lean of the strokes in degrees from upright, positive to the right: atan(-mu11 / mu02); 0 if blank."""
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
    """``"thin"``, ``"bold"`` or, between the two, ``""``: the stroke width against the digit's typical one."""
    ratio = stroke_width(pixels) / TYPICAL_WIDTH[digit]
    return "thin" if ratio < THIN_BELOW else "bold" if ratio > BOLD_ABOVE else ""


def slant_word(pixels: Pixels, digit: int) -> str:
    """``"slanted left"``, ``"slanted right"`` or ``"upright"``: the lean against the digit's typical one."""
    lean = slant(pixels) - TYPICAL_SLANT[digit]
    return (
        "slanted left" if lean < -SLANTED_BEYOND else "slanted right" if lean > SLANTED_BEYOND else "upright"
    )


def digit_caption(pixels: Pixels, digit: int, rng: np.random.Generator) -> str:
    """One caption of the image in a phrasing drawn by ``rng``; weight and lean are each left out at times."""
    text = PHRASES[rng.integers(len(PHRASES))].format(
        word=DIGIT_WORDS[digit] if rng.random() < 0.75 else digit,
        weight=weight_word(pixels, digit) if rng.random() < 0.7 else "",
        lean=slant_word(pixels, digit) if rng.random() < 0.6 else "",
    )
    text = " ".join(text.split()).rstrip(" ,")
    # Templates do not inflect articles, so neither form may be news to the model.
    return re.sub(r"\ba (?=[aeiu8])", "an ", text) if rng.random() < 0.7 else text


def _ink(pixels: Pixels) -> NDArray[np.float64]:
    """The strokes' intensity, (H, W) in 0 .. 1."""
    ink: NDArray[np.float64] = pixels.mean(axis=2) / 255.0
    return ink
