"""Contextual diversification: moving the subject of a real image to another place on another background."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict

import numpy as np

from synthaug.errors import Cancelled, UserError
from synthaug.generators.base import GeneratedImage, GenerationSettings, Interval, ModelCard, ShouldCancel
from synthaug.generators.compositing.colour import harmonise
from synthaug.generators.compositing.composite import Ranges, blend, fill, place, soften, warp
from synthaug.generators.compositing.masks import Mask, MaskDescription, described, ellipse, subject_mask
from synthaug.generators.delivery import deliver, delivered_size
from synthaug.hardware import CPUFormat
from synthaug.images import resize
from synthaug.records import GenerationRequest, Pixels

if TYPE_CHECKING:
    from synthaug.generators.compositing.segmentation import SubjectSegmenter

PREFIX = "context:"
SEGMENTED_BY = "@"
LARGEST = 0.9  # largest share of the image that a mask may cover; beyond it there is hardly any background

Background = Literal["by prompt", "drawn", "own"]


@dataclass(frozen=True, slots=True)
class ContextSettings:
    """Settings of the compositing. A ``background`` "by prompt" is drawn where a request has a prompt, else its own."""

    ranges: Ranges = field(default_factory=Ranges)
    background: Background = "by prompt"
    colour_strength: float = 0.3  # 0 .. 1: how far the subject's colours move toward those of the background
    colour_limit: float = 10.0  # largest shift of the mean colour, in units of Lab
    strength: float = 0.2  # of the final image-to-image pass, where a request gives none


class MaskDetails(MaskDescription):
    """A mask and where it comes from."""

    mask_source: str  # "request", "border colours", "ellipse" or the name of a segmentation model


class Details(TypedDict):
    """Everything that was chosen for one composite."""

    start: Literal["context"]
    mask: MaskDetails
    background: Literal["drawn", "own"]
    background_prompt: str
    warp: list[float]  # the nine entries of the matrix, row by row
    scale: float
    rotation: float  # degrees, clockwise
    position: list[float]  # x and y of the subject's centre, as shares of the canvas
    flipped: bool
    colour_strength: float
    base: str  # the generator that drew the background
    base_revision: str


@dataclass(frozen=True, slots=True)
class _Plan:
    """The subject of one request, and the random numbers from its seed."""

    request: GenerationRequest
    image: Pixels  # the real image of the request, which shows the subject
    mask: Mask
    mask_source: str
    rng: np.random.Generator
    drawn: bool  # whether the background is generated


class ContextGenerator:
    """``context:NAME`` or ``context:NAME@SEGMENTER``: every request carries the real image that shows the subject.

    The prompt of a request describes the background. Its mask, if any, is false on the subject; without one, the
    segmentation model SEGMENTER (a folder or hub id) finds the subject, or else the colours along the border do. Its
    strength is that of a final image-to-image pass, in which NAME redraws the composite; 0 skips that pass.
    """

    def __init__(
        self,
        name: str | Path,
        *,
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        guidance_interval: Interval | None = None,
        batch_size: int | None = None,
        output_size: tuple[int, int] | None = None,
        device: str | None = None,
        cpu_format: CPUFormat = "float32",
        context: ContextSettings | None = None,
    ) -> None:
        from synthaug.generators import load_generator
        from synthaug.generators.folders import family_of

        self.name = str(name)
        base, _, segmenter = self.name.removeprefix(PREFIX).partition(SEGMENTED_BY)
        if not base:
            raise UserError(
                f"{self.name!r} does not name a generator for the backgrounds; write {PREFIX}NAME"
            )
        if (family := family_of(base)) != "diffusion":
            raise UserError(
                f"{base} belongs to the family {family!r}; backgrounds need a diffusion model that reads prompts"
            )
        self._base = load_generator(
            base,
            num_inference_steps=num_inference_steps,
            guidance_scale=guidance_scale,
            guidance_interval=guidance_interval,
            batch_size=batch_size,
            device=device,
            cpu_format=cpu_format,
        )
        self._segmenter = _segmenter(segmenter, device)
        self._context = context or ContextSettings()
        self.settings: GenerationSettings = replace(
            self._base.settings, output_size=delivered_size(self._base.image_size, output_size)
        )

    @property
    def revision(self) -> str:
        """The revision of the base generator."""
        return self._base.revision

    @property
    def image_size(self) -> tuple[int, int]:
        """Width and height of the images in pixels."""
        return self.settings.output_size

    def describe(self) -> ModelCard:
        """The card of the base generator, with the family "context"."""
        card = self._base.describe()
        return replace(card, family="context", base=self._base.name, figures={})

    def generate(
        self, requests: Sequence[GenerationRequest], should_cancel: ShouldCancel = lambda: False
    ) -> list[GeneratedImage]:
        """One image per request, in order; see :class:`synthaug.generators.base.Generator`."""
        plans = []
        for request, image in _with_images(requests):
            _stop_if(should_cancel)
            plans.append(self._plan(request, image))
        seeds = [int(plan.rng.integers(2**63)) for plan in plans]
        background_requests = [
            GenerationRequest(plan.request.prompt, seed, plan.request.guidance_scale)
            for plan, seed in zip(plans, seeds, strict=True)
            if plan.drawn
        ]
        drawn = iter(self._base.generate(background_requests, should_cancel))
        composites = []
        for plan in plans:
            _stop_if(should_cancel)
            background = next(drawn) if plan.drawn else GeneratedImage(self._own_background(plan))
            composites.append(self._compose(plan, background))
        return self._finished(plans, composites, should_cancel)

    def _plan(self, request: GenerationRequest, image: Pixels) -> _Plan:
        if request.mask is not None:
            mask, mask_source = ~request.mask, "request"
        elif self._segmenter is not None:
            mask, mask_source = self._segmenter.mask(image), self._segmenter.name
        else:
            mask, mask_source = subject_mask(image), "border colours"
        if not 0 < mask.mean() <= LARGEST:
            mask, mask_source = ellipse(*mask.shape), "ellipse"
        wanted = self._context.background
        drawn = bool(request.prompt.strip()) if wanted == "by prompt" else wanted == "drawn"
        return _Plan(request, image, mask, mask_source, np.random.default_rng(request.seed), drawn)

    def _own_background(self, plan: _Plan) -> Pixels:
        """The background of the image itself, with the subject filled in, cropped to the shape of the canvas."""
        from scipy import ndimage

        around = max(1, round(0.03 * min(plan.mask.shape)))  # pixels: removes the subject's soft edge as well
        filled = fill(plan.image, ndimage.binary_dilation(plan.mask, iterations=around))
        width, height = self._base.image_size
        rows, columns = filled.shape[:2]
        scale = min(columns / width, rows / height)
        keep_x, keep_y = max(1, round(width * scale)), max(1, round(height * scale))
        left, top = (columns - keep_x) // 2, (rows - keep_y) // 2
        return resize(filled[top : top + keep_y, left : left + keep_x], (width, height))

    def _compose(self, plan: _Plan, background: GeneratedImage) -> GeneratedImage:
        """The subject on its background, with every choice recorded in the details."""
        context = self._context
        placement = place(plan.mask, self._base.image_size, context.ranges, plan.rng)
        # Extend the subject's colours beyond its edge, so that none of the old background shows through.
        extended = fill(plan.image, ~plan.mask)
        subject = warp(extended, placement.matrix, self._base.image_size)
        alpha = soften(warp(plan.mask.astype(np.uint8) * 255, placement.matrix, self._base.image_size))
        subject = harmonise(subject, alpha, background.pixels, context.colour_strength, context.colour_limit)
        details: Details = {
            "start": "context",
            "mask": {**described(plan.mask), "mask_source": plan.mask_source},
            "background": "drawn" if plan.drawn else "own",
            "background_prompt": plan.request.prompt if plan.drawn else "",
            "warp": placement.matrix.ravel().tolist(),
            "scale": placement.scale,
            "rotation": placement.rotation,
            "position": list(placement.position),
            "flipped": placement.flipped,
            "colour_strength": context.colour_strength,
            "base": self._base.name,
            "base_revision": self._base.revision,
        }
        return GeneratedImage(blend(subject, alpha, background.pixels), cut=background.cut, details=details)

    def _finished(
        self, plans: Sequence[_Plan], composites: Sequence[GeneratedImage], should_cancel: ShouldCancel
    ) -> list[GeneratedImage]:
        """The composites at the size to deliver, after the image-to-image pass where one is wanted."""
        strengths = [self._strength(plan.request) for plan in plans]
        again = [
            GenerationRequest(
                plan.request.prompt,
                int(plan.rng.integers(2**63)),
                plan.request.guidance_scale,
                image=composite.pixels,
                strength=strength,
            )
            for plan, composite, strength in zip(plans, composites, strengths, strict=True)
            if strength
        ]
        redrawn = iter(self._base.generate(again, should_cancel))
        finished = []
        for composite, strength in zip(composites, strengths, strict=True):
            last = next(redrawn) if strength else composite
            details = {**composite.details, **last.details, "start": "context", "strength": strength}
            cut = composite.cut or last.cut
            finished.append(self._delivered(replace(last, cut=cut, details=details)))
        return finished

    def _strength(self, request: GenerationRequest) -> float:
        """Strength of the final pass; the default is raised until it leaves at least one step."""
        if request.strength is not None:
            return request.strength
        one_step = math.ceil(100 / self.settings.num_inference_steps) / 100
        return max(self._context.strength, one_step) if self._context.strength else 0.0

    def _delivered(self, image: GeneratedImage) -> GeneratedImage:
        made = deliver(image.pixels, self.image_size, image.cut, image.details)
        return made if image.review is None else replace(made, review=image.review)


def _segmenter(name: str, device: str | None) -> SubjectSegmenter | None:
    if not name:
        return None
    from synthaug.generators.compositing.segmentation import SubjectSegmenter

    return SubjectSegmenter(name, device=device)


def _with_images(requests: Sequence[GenerationRequest]) -> list[tuple[GenerationRequest, Pixels]]:
    """Each request with its real image; raises UserError if one has none, or a mask of another size."""
    pairs = []
    for request in requests:
        if request.image is None:
            raise UserError(
                "contextual diversification starts from real images, and the request with the prompt "
                f"{request.prompt!r} has none; choose a view to take images from"
            )
        if request.mask is not None and request.mask.shape != request.image.shape[:2]:
            raise UserError(
                f"the mask has the size {request.mask.shape[::-1]} and its image {request.image.shape[1::-1]}; "
                "both must be the same"
            )
        pairs.append((request, request.image))
    return pairs


def _stop_if(should_cancel: ShouldCancel) -> None:
    if should_cancel():
        raise Cancelled("generation was cancelled")
