"""Captions of small photographs: the class, and the measured brightness, main colour and background colour."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthaug.records import Pixels

DARK_BELOW = 98  # mean luma, 0 .. 255: below it lies the darkest fifth of CIFAR-10
BRIGHT_ABOVE = 147  # mean luma, 0 .. 255: above it lies the brightest fifth
COLOURLESS_BELOW = 0.17  # HSV saturation of a mean colour
MUTED_BELOW = 0.6  # saturation below which red and orange are called brown
OLIVE = 52  # hue in degrees above which a muted yellow is called green
BLACK_BELOW, WHITE_ABOVE = 60, 190  # mean luma that separates black, gray and white
HUES = (
    (20, "red"),
    (45, "orange"),
    (70, "yellow"),
    (165, "green"),
    (260, "blue"),
    (330, "purple"),
    (360, "red"),
)
"""Upper bound of each hue in degrees, with its name."""
BORDER = 4  # width in pixels of the ring that counts as background
COLOURS = ("black", "white", "gray", "red", "orange", "brown", "yellow", "green", "blue", "purple")
TONES = ("dark", "bright")
SYNONYMS = {"automobile": ("automobile", "car"), "airplane": ("airplane", "plane")}

PHRASES = (
    "a photo of a {tone} {colour} {noun} {place} {background}",
    "a photo of a {colour} {noun} {background}, {tone}",
    "a {tone} photo of a {colour} {noun} {place}",
    "a {colour} {noun} {place} {background}",
    "a {noun} {place}, {tone}",
    "{tone} {colour} {noun}",
    "a photo of a {noun}",
    "an image of a {noun} {background}",
    "a {noun}",
    "{noun}",
)
"""Caption templates; every field except ``{noun}`` may be empty."""
PLAIN_PHRASES = ("a photo of a {noun}", "an image of a {noun}", "a {noun}", "{noun}")


@dataclass(frozen=True, slots=True)
class Look:
    """Measured properties of an image in words; "" where nothing stands out."""

    tone: str  # "dark", "bright" or ""
    colour: str  # of the middle, where the subject mostly is
    background: str  # colour of the border


@dataclass(frozen=True, slots=True)
class Fillers:
    """Words that prompts often contain but that cannot be measured, so that the model learns to ignore them."""

    kinds: dict[str, Sequence[str]]  # class -> kinds of it, such as "Siamese", placed before the noun
    places: Sequence[str]  # "on the sofa"


def luma(pixels: NDArray[np.floating]) -> NDArray[np.floating]:
    """ITU-R BT.601 luma of RGB colours (..., 3), in the same range as the colours."""
    weighted: NDArray[np.floating] = pixels @ np.array([0.299, 0.587, 0.114])
    return weighted


def look(pixels: Pixels) -> Look:
    """Measure an image (H, W, 3) uint8."""
    values = pixels.astype(np.float64)
    height, width = values.shape[:2]
    brightness = float(luma(values).mean())
    tone = "dark" if brightness < DARK_BELOW else "bright" if brightness > BRIGHT_ABOVE else ""
    ring = np.ones((height, width), bool)
    ring[BORDER:-BORDER, BORDER:-BORDER] = False
    middle = values[height // 4 : -(height // 4), width // 4 : -(width // 4)]
    return Look(tone, colour_name(middle.reshape(-1, 3)), colour_name(values[ring]))


def colour_name(colours: NDArray[np.float64]) -> str:
    """The name, one of ``COLOURS``, of the mean of colours (N, 3) in 0 .. 255."""
    mean = colours.mean(axis=0)
    hue, saturation, _ = colorsys.rgb_to_hsv(*(mean / 255))
    brightness = float(luma(mean))
    if saturation < COLOURLESS_BELOW or brightness < BLACK_BELOW / 2:
        return "black" if brightness < BLACK_BELOW else "white" if brightness > WHITE_ABOVE else "gray"
    name = next(name for end, name in HUES if 360 * hue <= end)
    if saturation < MUTED_BELOW and name in ("red", "orange"):
        return "brown"
    return "green" if saturation < MUTED_BELOW and name == "yellow" and 360 * hue > OLIVE else name


def plain_caption(label: str, rng: np.random.Generator) -> str:
    """A caption that names the class, or a synonym, and nothing else."""
    nouns = SYNONYMS.get(label, (label,))
    phrase = PLAIN_PHRASES[rng.integers(len(PLAIN_PHRASES))]
    return phrase.format(noun=nouns[rng.integers(len(nouns))])


def photo_caption(label: str, seen: Look, rng: np.random.Generator, fillers: Fillers) -> str:
    """A caption in a random phrasing; each measured property is left out at random."""
    nouns = SYNONYMS.get(label, (label,))
    noun = nouns[rng.integers(len(nouns))]
    kinds = fillers.kinds.get(label, ())
    if len(kinds) and rng.random() < 0.25:
        noun = f"{kinds[int(rng.integers(len(kinds)))]} {noun}"
    text = PHRASES[rng.integers(len(PHRASES))].format(
        noun=noun,
        tone=seen.tone if rng.random() < 0.7 else "",
        colour=seen.colour if rng.random() < 0.5 else "",
        background=f"on a {seen.background} background" if rng.random() < 0.7 else "",
        place=fillers.places[int(rng.integers(len(fillers.places)))] if rng.random() < 0.2 else "",
    )
    return " ".join(text.replace(" ,", ",").split()).rstrip(" ,")
