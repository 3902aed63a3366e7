"""Captions of small photographs: the class, and what can be measured: brightness, background and main colour."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthaug.records import Pixels

DARK_BELOW = 98  # mean luma, 0 .. 255: the darkest fifth of CIFAR-10
BRIGHT_ABOVE = 147  # and the brightest fifth
COLOURLESS_BELOW = 0.17  # HSV saturation of a mean colour
MUTED_BELOW = 0.6  # saturation below which red and orange are called brown
OLIVE = 52  # degrees; a muted yellow beyond it is called green
BLACK_BELOW, WHITE_ABOVE = 60, 190  # mean luma of what has no colour
HUES = (
    (20, "red"),
    (45, "orange"),
    (70, "yellow"),
    (165, "green"),
    (260, "blue"),
    (330, "purple"),
    (360, "red"),
)
"""Upper ends of the hues, in degrees."""
BORDER = 4  # pixels: the ring taken for the background
COLORS = ("black", "white", "gray", "red", "orange", "brown", "yellow", "green", "blue", "purple")
TONES = ("dark", "bright")
SYNONYMS = {"automobile": ("automobile", "car"), "airplane": ("airplane", "plane")}

PHRASES = (
    "a photo of a {tone} {color} {noun} {place} {background}",
    "a photo of a {color} {noun} {background}, {tone}",
    "a {tone} photo of a {color} {noun} {place}",
    "a {color} {noun} {place} {background}",
    "a {noun} {place}, {tone}",
    "{tone} {color} {noun}",
    "a photo of a {noun}",
    "an image of a {noun} {background}",
    "a {noun}",
    "{noun}",
)
"""Captions to fill in; all but ``{noun}`` may be empty."""
PLAIN_PHRASES = ("a photo of a {noun}", "an image of a {noun}", "a {noun}", "{noun}")


@dataclass(frozen=True, slots=True)
class Look:
    """What is measured from an image, in words; "" where nothing stands out."""

    tone: str  # "dark", "bright" or ""
    color: str  # of the middle, where the subject mostly is
    background: str  # colour of the border


@dataclass(frozen=True, slots=True)
class Fillers:
    """Words of templates that no measurement gives; the model is to take them in its stride."""

    kinds: dict[str, Sequence[str]]  # class -> kinds of it ("Siamese"), put before the noun
    places: Sequence[str]  # "on the sofa"


def luma(pixels: NDArray[np.floating]) -> NDArray[np.floating]:
    """ITU-R BT.601 luma of (..., 3) colours, in their own range."""
    weighted: NDArray[np.floating] = pixels @ np.array([0.299, 0.587, 0.114])
    return weighted


def look(pixels: Pixels) -> Look:
    """Measure an image (H, W, 3)."""
    values = pixels.astype(np.float64)
    height, width = values.shape[:2]
    brightness = float(luma(values).mean())
    tone = "dark" if brightness < DARK_BELOW else "bright" if brightness > BRIGHT_ABOVE else ""
    ring = np.ones((height, width), bool)
    ring[BORDER:-BORDER, BORDER:-BORDER] = False
    middle = values[height // 4 : -(height // 4), width // 4 : -(width // 4)]
    return Look(tone, color_name(middle.reshape(-1, 3)), color_name(values[ring]))


def color_name(colors: NDArray[np.float64]) -> str:
    """The name of the mean of (N, 3) colours in 0 .. 255, one of ``COLORS``."""
    mean = colors.mean(axis=0)
    hue, saturation, _ = colorsys.rgb_to_hsv(*(mean / 255))
    brightness = float(luma(mean))
    if saturation < COLOURLESS_BELOW or brightness < BLACK_BELOW / 2:
        return "black" if brightness < BLACK_BELOW else "white" if brightness > WHITE_ABOVE else "gray"
    name = next(name for end, name in HUES if 360 * hue <= end)
    if saturation < MUTED_BELOW and name in ("red", "orange"):
        return "brown"
    return "green" if saturation < MUTED_BELOW and name == "yellow" and 360 * hue > OLIVE else name


def plain_caption(label: str, rng: np.random.Generator) -> str:
    """A caption that says the class, or its synonym, and nothing else."""
    nouns = SYNONYMS.get(label, (label,))
    phrase = PLAIN_PHRASES[rng.integers(len(PLAIN_PHRASES))]
    return phrase.format(noun=nouns[rng.integers(len(nouns))])


def photo_caption(label: str, seen: Look, rng: np.random.Generator, fillers: Fillers) -> str:
    """One caption in a phrasing drawn by ``rng``; what was measured is each left out at times."""
    nouns = SYNONYMS.get(label, (label,))
    noun = nouns[rng.integers(len(nouns))]
    kinds = fillers.kinds.get(label, ())
    if len(kinds) and rng.random() < 0.25:
        noun = f"{kinds[int(rng.integers(len(kinds)))]} {noun}"
    text = PHRASES[rng.integers(len(PHRASES))].format(
        noun=noun,
        tone=seen.tone if rng.random() < 0.7 else "",
        color=seen.color if rng.random() < 0.5 else "",
        background=f"on a {seen.background} background" if rng.random() < 0.7 else "",
        place=fillers.places[int(rng.integers(len(fillers.places)))] if rng.random() < 0.2 else "",
    )
    return " ".join(text.replace(" ,", ",").split()).rstrip(" ,")
