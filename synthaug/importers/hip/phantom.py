"""A phantom of a ventrodorsal radiograph of a dog's pelvis, drawn at known Norberg angles. No real image.

Left and right are those of the image.
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
MEAN, COMMON_SD, SIDE_SD = 107.0, 7.0, 4.0  # degrees; both sides of a dog are alike
SIZES: Final = (16, 2048)  # pixels a side

TRAIN_IMAGES, TEST_IMAGES, SIZE = 219, 100, 64
"""What the source ``hip-phantom`` holds unless it says otherwise; 219 captioned radiographs were used by
Kakkar (2024)."""

TRAIN, TEST, READER = 0, 1, 2
"""Streams of phantoms that have none in common: ``hip_phantom((seed, TRAIN, 0))``."""


@dataclass(frozen=True, slots=True)
class Phantom:
    """A drawn pelvis and what is true of it. Angles in degrees; points (x, y) and radii in pixels.

    The middle of the upper left pixel is (0.5, 0.5).
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
    def caption(self) -> str:
        """What a reader would write under it."""
        return hip_caption(self.left_angle, self.right_angle)

    @property
    def short_caption(self) -> str:
        """The same for a text encoder that reads few tokens."""
        return short_caption(self.left_angle, self.right_angle)


def hip_phantom(
    seed: int | Sequence[int], size: int = SIZE, left: float | None = None, right: float | None = None
) -> Phantom:
    """A phantom of ``size`` pixels a side; angles in degrees (85 .. 120) that are not given are drawn.

    Position, tilt, size, brightness, contrast, blur and noise follow from ``seed``. Raises UserError.
    """
    if not SIZES[0] <= size <= SIZES[1]:
        raise UserError(f"the size of a phantom is {size}; it must lie in {SIZES[0]} .. {SIZES[1]} pixels")
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
    """Left and right angle in degrees, to two decimals as captions say them; correlated by about 0.75."""
    common = rng.normal(MEAN, COMMON_SD)
    left, right = np.clip(common + rng.normal(0, SIDE_SD, 2), *RANGE)
    return round(float(left), 2), round(float(right), 2)


class HipPhantomImporter:
    """Captioned phantoms with their classes; the source is ``hip-phantom`` or ``hip-phantom:train=60,size=32``.

    ``short=1``: captions for a text encoder that reads few tokens.
    """

    name: ClassVar[str] = "hip-phantom"
    description: ClassVar[str] = "drawn phantoms of dog hip radiographs at known Norberg angles, captioned"

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
    """The numbers in a source's name, over the usual ones."""
    settings = {"train": TRAIN_IMAGES, "test": TEST_IMAGES, "size": SIZE, "seed": 0, "short": 0}
    for part in filter(None, str(source).partition(":")[2].split(",")):
        name, _, value = part.partition("=")
        if name not in settings or not value.isdecimal():
            raise ImportFailed(
                f"{source}: {part!r} is no setting; a phantom takes whole numbers for "
                f"{', '.join(settings)}, as in hip-phantom:train=60,test=40,size=32"
            )
        settings[name] = int(value)
    return settings
