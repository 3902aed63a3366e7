"""Phantoms of ventrodorsal radiographs of a dog's pelvis, drawn at known Norberg angles.

Left and right are the sides of the image.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

import numpy as np

from synthaug.config import HIP
from synthaug.errors import ImportFailed, UserError
from synthaug.importers.base import Only
from synthaug.importers.hip.angles import Point, hip_caption, hip_class, short_caption
from synthaug.importers.hip.drawing import Frame, Hip, exposed, thickness
from synthaug.records import ImportItem, Pixels, Split

RANGE: Final = (85.0, 120.0)  # degrees
MEAN, COMMON_SD, SIDE_SD = 107.0, 7.0, 4.0  # degrees; the two sides of a dog are similar
SIZES: Final = (16, 2048)  # pixels a side

TRAIN_IMAGES, TEST_IMAGES, SIZE = 219, 100, 64
"""Defaults of the source ``hip-phantom``; Kakkar (2024) used 219 captioned radiographs."""

TRAIN, TEST, READER = 0, 1, 2
"""Disjoint streams of phantoms, used as in ``hip_phantom((seed, TRAIN, 0))``."""


@dataclass(frozen=True, slots=True)
class Phantom:
    """A drawn pelvis with its true angles in degrees, and its points (x, y) and radii in pixels.

    The centre of the upper left pixel is (0.5, 0.5).
    """

    pixels: Pixels  # gray, (S, S, 3)
    left_angle: float
    right_angle: float
    left_head: Point
    right_head: Point
    left_radius: float
    right_radius: float
    left_rim: Point
    right_rim: Point

    @property
    def landmarks(self) -> dict[str, tuple[float, ...]]:
        """The landmarks of the scheme "hip" that were drawn: x and y, and of the heads also the radius, in pixels."""
        return {
            "left_head": (*self.left_head, self.left_radius),
            "right_head": (*self.right_head, self.right_radius),
            "left_rim": self.left_rim,
            "right_rim": self.right_rim,
        }

    @property
    def caption(self) -> str:
        """The caption with the true angles."""
        return hip_caption(self.left_angle, self.right_angle)

    @property
    def short_caption(self) -> str:
        """The caption for a text encoder that reads few tokens."""
        return short_caption(self.left_angle, self.right_angle)


def hip_phantom(
    seed: int | Sequence[int], size: int = SIZE, left: float | None = None, right: float | None = None
) -> Phantom:
    """A phantom of ``size`` pixels a side with the given angles in degrees (85 .. 120); None: drawn at random.

    ``seed`` determines all random properties: angles, position, tilt, size, contrast, blur and noise. Raises UserError.
    """
    if not SIZES[0] <= size <= SIZES[1]:
        raise UserError(f"the size of the phantom is {size}; it must lie in {SIZES[0]} .. {SIZES[1]} pixels")
    rng = np.random.default_rng(seed)
    drawn = draw_angles(rng)
    angles = tuple(own if asked is None else asked for asked, own in zip((left, right), drawn, strict=True))
    for angle in angles:
        if not RANGE[0] <= angle <= RANGE[1]:
            raise UserError(f"the angle is {angle:g}; it must lie in {RANGE[0]:g} .. {RANGE[1]:g} degrees")
    frame = Frame.drawn(rng, size)
    hips = Hip.pair(rng, angles)
    pixels = exposed(rng, thickness(rng, frame, hips), size)
    heads = [frame.to_image(hip.center) for hip in hips]
    rims = [frame.to_image(hip.at(hip.angle, hip.socket)) for hip in hips]
    radii = [hip.radius * frame.scale * size for hip in hips]
    return Phantom(pixels, *angles, *heads, *radii, *rims)  # type: ignore[arg-type]


def draw_angles(rng: np.random.Generator) -> tuple[float, float]:
    """Random left and right angles in degrees, to two decimals as in captions; their correlation is about 0.75."""
    common = rng.normal(MEAN, COMMON_SD)
    left, right = np.clip(common + rng.normal(0, SIDE_SD, 2), *RANGE)
    return round(float(left), 2), round(float(right), 2)


class HipPhantomImporter:
    """Captioned phantoms with their classes; the source is ``hip-phantom`` or ``hip-phantom:train=60,size=32``.

    ``short=1`` gives captions for a text encoder that reads few tokens.
    """

    name: ClassVar[str] = "hip-phantom"
    description: ClassVar[str] = "Captioned drawings of dog hip radiographs with known Norberg angles"

    def accepts(self, source: Path) -> bool:
        return str(source).partition(":")[0] == self.name and not source.exists()

    def items(self, source: Path, only: Only = None) -> Iterator[ImportItem]:
        settings = _settings(source)
        splits: tuple[tuple[Split, int], ...] = (("train", TRAIN), ("test", TEST))
        for split, stream in splits:
            for index in range(settings[split]):
                phantom = hip_phantom((settings["seed"], stream, index), settings["size"])
                yield ImportItem(
                    path=f"hip-phantom/{split}/{index:04d}",
                    data=phantom.pixels,
                    class_name=hip_class(phantom.left_angle, phantom.right_angle),
                    split=split,
                    caption=phantom.short_caption if settings["short"] else phantom.caption,
                )

    def class_names(self, source: Path) -> list[str]:
        return list(HIP)

    def count(self, source: Path) -> int:
        settings = _settings(source)
        return settings["train"] + settings["test"]


def _settings(source: Path) -> dict[str, int]:
    """The settings in a source's name, with defaults for the others. Raises ImportFailed."""
    settings = {"train": TRAIN_IMAGES, "test": TEST_IMAGES, "size": SIZE, "seed": 0, "short": 0}
    for part in filter(None, str(source).partition(":")[2].split(",")):
        name, _, value = part.partition("=")
        if name not in settings or not value.isdecimal():
            raise ImportFailed(
                f"{source}: {part!r} is not a setting; give whole numbers for {', '.join(settings)}, "
                "as in hip-phantom:train=60,test=40,size=32"
            )
        settings[name] = int(value)
    return settings
