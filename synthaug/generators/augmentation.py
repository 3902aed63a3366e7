"""Classical augmentation as a generator: it distorts a real image and records every parameter it drew.

The four distortions are those of the active-learning paper's oversampling baseline, in the same order: colour jitter,
perspective, rotation, solarize. The paper gives no probability for the perspective; here it is always applied.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import TypedDict

import numpy as np

from synthaug.errors import Cancelled, UserError
from synthaug.generators.base import GeneratedImage, GenerationSettings, ModelCard, ShouldCancel
from synthaug.generators.delivery import check_positive, deliver, delivered_size
from synthaug.generators.folders import AUGMENTATION
from synthaug.records import GenerationRequest, Pixels

BRIGHTNESS = 0.5  # factor 1 - 0.5 .. 1 + 0.5
HUE = 0.3  # largest shift in either direction, as a share of the colour circle
DISTORTION = 0.2  # largest inward shift of a corner, as a share of half a side
DEGREES = (0.0, 180.0)  # range of the rotation, counter-clockwise
SOLARIZE_THRESHOLD = 0.75  # share of full brightness from which values are inverted
SOLARIZE_SHARE = 0.5  # share of the images that are solarized
BATCH = 64

Corners = list[list[int]]
"""Four corners (x, y) in pixels: upper left, upper right, lower right, lower left."""


class Distortion(TypedDict):
    """The parameters of the distortions of one image."""

    brightness: float  # factor
    hue: float  # shift, as a share of the colour circle
    hue_first: bool  # whether the hue is changed before the brightness
    perspective: Corners  # where the corners of the image move to
    rotation: float  # degrees, counter-clockwise
    solarize: bool


class AugmentationGenerator:
    """Distorts the real image that each request must carry. The prompt is not read; the image keeps its size."""

    def __init__(
        self,
        name: str | Path = AUGMENTATION,
        *,
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        batch_size: int | None = None,
        output_size: tuple[int, int] | None = None,
        device: str | None = None,
    ) -> None:
        if num_inference_steps not in (None, 1) or guidance_scale not in (None, 1.0):
            raise UserError("the augmentation generator has no steps and no guidance; leave them out")
        check_positive("batch size", batch_size)
        self.name = str(name)
        self.revision = _revision()
        self._max_size = None if output_size is None else delivered_size(output_size, None)
        self.settings = GenerationSettings(
            num_inference_steps=1,
            guidance_scale=1.0,
            batch_size=batch_size or BATCH,
            output_size=self._max_size or (0, 0),  # (0, 0): no limit
            scheduler="",
            device="cpu",  # distorting small images takes less time than copying them to a GPU
            dtype="float32",
        )

    @property
    def image_size(self) -> tuple[int, int]:
        """The largest width and height of an image in pixels; (0, 0) if every image keeps its own size."""
        return self.settings.output_size

    def describe(self) -> ModelCard:
        """A card without classes or captions, since there is no model."""
        return ModelCard(name="Classical augmentation", family="augmentation", num_inference_steps=1)

    def generate(
        self, requests: Sequence[GenerationRequest], should_cancel: ShouldCancel = lambda: False
    ) -> list[GeneratedImage]:
        """One image per request, in order; see :class:`synthaug.generators.base.Generator`."""
        images = []
        for request in requests:
            if should_cancel():
                raise Cancelled("generation was cancelled")
            source = _source(request)
            height, width = source.shape[:2]
            parameters = draw_parameters(Random(request.seed), width, height)  # noqa: S311
            size = delivered_size((width, height), self._max_size)
            images.append(deliver(distort(source, parameters), size, "", parameters))
        return images


def draw_parameters(rng: Random, width: int, height: int) -> Distortion:
    """Random parameters for one image, with the distributions of torchvision's transforms."""
    far_x, far_y = int(DISTORTION * (width // 2)), int(DISTORTION * (height // 2))
    inward = [(rng.randint(0, far_x), rng.randint(0, far_y)) for _ in range(4)]
    start = _corners(width, height)
    towards = ((1, 1), (-1, 1), (-1, -1), (1, -1))  # the middle
    return {
        "brightness": rng.uniform(1 - BRIGHTNESS, 1 + BRIGHTNESS),
        "hue": rng.uniform(-HUE, HUE),
        "hue_first": rng.random() < 0.5,
        "perspective": [
            [x + sign_x * move_x, y + sign_y * move_y]
            for (x, y), (sign_x, sign_y), (move_x, move_y) in zip(start, towards, inward, strict=True)
        ],
        "rotation": rng.uniform(*DEGREES),
        "solarize": rng.random() < SOLARIZE_SHARE,
    }


def distort(image: Pixels, parameters: Distortion) -> Pixels:
    """``image`` (H, W, 3) uint8 distorted by the parameters from :func:`draw_parameters`; uncovered areas are black."""
    import torch
    from torchvision.transforms import InterpolationMode
    from torchvision.transforms.v2 import functional

    height, width = image.shape[:2]
    values = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).float() / 255
    jitters = [
        lambda picture: functional.adjust_brightness(picture, parameters["brightness"]),
        lambda picture: functional.adjust_hue(picture, parameters["hue"]),
    ]
    for jitter in reversed(jitters) if parameters["hue_first"] else jitters:
        values = jitter(values)
    values = functional.perspective(
        values,
        _corners(width, height),
        parameters["perspective"],
        interpolation=InterpolationMode.BILINEAR,
        fill=0,
    )
    values = functional.rotate(
        values, parameters["rotation"], interpolation=InterpolationMode.NEAREST, fill=0
    )
    if parameters["solarize"]:
        values = functional.solarize(values, SOLARIZE_THRESHOLD)
    distorted: Pixels = (values * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    return np.ascontiguousarray(distorted)


def _corners(width: int, height: int) -> Corners:
    return [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]]


def _source(request: GenerationRequest) -> Pixels:
    """The image to distort. Raises UserError for a request without one or with options that do not apply."""
    if request.strength is not None:
        raise UserError("the augmentation generator takes no strength; leave it out")
    if request.guidance_scale not in (None, 1.0) or request.mask is not None:
        raise UserError("the augmentation generator takes no guidance and no mask; leave them out")
    if request.image is None:
        raise UserError(
            "the augmentation generator distorts real images, so every request needs an image to start from"
        )
    return request.image


def _revision() -> str:
    """SHA-256 over the parameter ranges and the version of torchvision."""
    inputs = {
        "brightness": BRIGHTNESS,
        "hue": HUE,
        "distortion": DISTORTION,
        "degrees": DEGREES,
        "solarize": [SOLARIZE_THRESHOLD, SOLARIZE_SHARE],
        "torchvision": version("torchvision"),
    }
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
