"""Grouping requests that can share a batch, and preparing the images and masks they start from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from synthaug.errors import UserError
from synthaug.records import GenerationRequest, Pixels

Start = Literal["text", "image", "inpaint"]

IMAGE_STRENGTH = 0.6
"""Default for image to image: enough noise for new textures and details, too little for another composition."""

INPAINT_STRENGTH = 1.0
"""Default for inpainting, which starts from pure noise: below 1, the content to be replaced shows through."""


class Details(TypedDict, total=False):
    """What determined the pixels of one image besides the settings of the generator."""

    guidance_scale: float  # if the request has its own
    start: Start  # if not "text"
    strength: float | None  # if the start is not "text"


@dataclass(frozen=True, slots=True)
class Setting:
    """The settings that all images of a batch share."""

    start: Start
    guidance_scale: float
    strength: float | None  # share of the noise added to the starting image, 0..1; None for text

    def details(self, request: GenerationRequest) -> Details:
        """The details of one image."""
        details: Details = {}
        if request.guidance_scale is not None:
            details["guidance_scale"] = self.guidance_scale
        if self.start != "text":
            details["start"], details["strength"] = self.start, self.strength
        return details


def group(requests: Sequence[GenerationRequest], guidance: float, steps: int) -> Mapping[Setting, list[int]]:
    """The positions of the requests that share each setting; ``guidance`` applies to requests without their own."""
    groups: dict[Setting, list[int]] = {}
    for position, request in enumerate(requests):
        groups.setdefault(_setting(request, guidance, steps), []).append(position)
    return groups


def _setting(request: GenerationRequest, guidance: float, steps: int) -> Setting:
    scale = guidance if request.guidance_scale is None else float(request.guidance_scale)
    if request.image is None:
        if request.mask is not None or request.strength is not None:
            raise UserError("a mask or a strength needs an image to start from")
        return Setting("text", scale, None)
    start: Start = "image" if request.mask is None else "inpaint"
    default = IMAGE_STRENGTH if start == "image" else INPAINT_STRENGTH
    strength = default if request.strength is None else float(request.strength)
    if not 0 < strength <= 1:
        raise UserError(f"the strength is {strength:g}; it must be above 0 and at most 1")
    if int(strength * steps) < 1:
        raise UserError(
            f"a strength of {strength:g} leaves none of the {steps} steps; "
            f"use a strength of at least {math.ceil(100 / steps) / 100:g}, or more steps"
        )
    return Setting(start, scale, strength)


def sources(requests: Sequence[GenerationRequest], size: tuple[int, int]) -> list[Pixels]:
    """The images to start from, each (H, W, 3) uint8 at ``size`` (width, height)."""
    return [
        _resized(request.image, size, Image.Resampling.LANCZOS)
        for request in requests
        if request.image is not None
    ]


def masks(requests: Sequence[GenerationRequest], size: tuple[int, int]) -> list[NDArray[np.bool_]]:
    """The masks, each (H, W) bool at ``size`` (width, height), true where the image is to be replaced."""
    return [mask_at(request, size) for request in requests if request.mask is not None]


def mask_at(request: GenerationRequest, size: tuple[int, int]) -> NDArray[np.bool_]:
    """A request's mask at ``size`` (width, height)."""
    mask, image = request.mask, request.image
    if mask is None or image is None:
        raise ValueError("this request has no mask")
    if mask.shape != image.shape[:2]:
        raise UserError(
            f"the mask has the size {mask.shape[::-1]} and its image {image.shape[1::-1]}; both must be the same"
        )
    white = _resized(mask.astype(np.uint8) * 255, size, Image.Resampling.NEAREST)
    return np.asarray(white > 127)


def keep_unmasked(drawn: Pixels, request: GenerationRequest, source: Pixels) -> Pixels:
    """``drawn`` (H, W, 3) inside the mask of the request, ``source`` (H, W, 3) outside of it."""
    mask = mask_at(request, (drawn.shape[1], drawn.shape[0]))
    return np.where(mask[..., None], drawn, source)


def _resized(pixels: NDArray[np.uint8], size: tuple[int, int], how: Image.Resampling) -> NDArray[np.uint8]:
    if pixels.shape[1::-1] == size:
        return pixels
    return np.asarray(Image.fromarray(pixels).resize(size, how))
