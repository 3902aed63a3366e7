"""Contextual diversification: a real image's subject at another place, in perspective, on another background."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from synthaug.errors import Cancelled, UserError
from synthaug.generators.base import GeneratedImage, GenerationSettings, ModelCard, ShouldCancel
from synthaug.generators.compositing.colour import harmonise
from synthaug.generators.compositing.composite import Ranges, blend, fill, place, soften, warp
from synthaug.generators.compositing.masks import Mask, described, ellipse, subject_mask
from synthaug.generators.delivery import deliver, delivered_size
from synthaug.images import resize
from synthaug.records import GenerationRequest, Pixels

PREFIX = "context:"
SEGMENTED_BY = "@"
LARGEST = 0.9  # of the picture: a mask beyond it leaves no background to tell the subject by

Background = Literal["by prompt", "drawn", "own"]


@dataclass(frozen=True, slots=True)
class ContextSettings:
    """What is done to each image; ``background`` "by prompt": drawn where there is a prompt, else the image's own."""

    ranges: Ranges = field(default_factory=Ranges)
    background: Background = "by prompt"
    colour_strength: float = 0.3  # 0 .. 1: how far the subject's colours go toward the background's
    colour_limit: float = 10.0  # units of Lab
    strength: float = 0.2  # of the image-to-image pass at the end, where a request names none


@dataclass(frozen=True, slots=True)
class _Plan:
    """One request's subject and what its seed decides."""

    request: GenerationRequest
    mask: Mask
    mask_source: str
    rng: np.random.Generator
    drawn: bool  # whether the background is


class ContextGenerator:
    """``context:NAME`` or ``context:NAME@SEGMENTER``: every request brings the real image that holds the subject.

    A request's prompt is the background's. Its mask, where it has one, is false on the subject; else the model
    SEGMENTER (a folder or hub id) tells the subject, or without one the colours at the border. Its strength is that
    of the last pass, in which NAME draws the composite anew; 0 leaves that out.
    """

    def __init__(
        self,
        name: str | Path,
        *,
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        batch_size: int | None = None,
        output_size: tuple[int, int] | None = None,
        device: str | None = None,
        context: ContextSettings | None = None,
    ) -> None:
        from synthaug.generators import load_generator
        from synthaug.generators.folders import family_of

        self.name = str(name)
        base, _, segmenter = self.name.removeprefix(PREFIX).partition(SEGMENTED_BY)
        if not base:
            raise UserError(f"{self.name!r} names no generator for the backgrounds; write {PREFIX}NAME")
        if (family := family_of(base)) != "diffusion":
            raise UserError(
                f"{base} is of the family {family!r}; backgrounds need one that reads prompts and starts from images"
            )
        self._base = load_generator(
            base,
            num_inference_steps=num_inference_steps,
            guidance_scale=guidance_scale,
            batch_size=batch_size,
            device=device,
        )
        self._segmenter = _segmenter(segmenter, device)
        self._context = context or ContextSettings()
        self.settings: GenerationSettings = replace(
            self._base.settings, output_size=delivered_size(self._base.image_size, output_size)
        )

    @property
    def revision(self) -> str:
        """The base generator's."""
        return self._base.revision

    @property
    def image_size(self) -> tuple[int, int]:
        """Width and height of the images."""
        return self.settings.output_size

    def describe(self) -> ModelCard:
        """The base generator's card, for this family."""
        card = self._base.describe()
        return replace(card, family="context", base=self._base.name, figures={})

    def generate(
        self, requests: Sequence[GenerationRequest], should_cancel: ShouldCancel = lambda: False
    ) -> list[GeneratedImage]:
        """One image a request, in order; see :class:`synthaug.generators.base.Generator`."""
        plans = []
        for request in _checked(requests):
            _stop_if(should_cancel)
            plans.append(self._plan(request))
        seeds = [int(plan.rng.integers(2**63)) for plan in plans]
        asked = [
            GenerationRequest(plan.request.prompt, seed, plan.request.guidance_scale)
            for plan, seed in zip(plans, seeds, strict=True)
            if plan.drawn
        ]
        drawn = iter(self._base.generate(asked, should_cancel))
        composites = []
        for plan in plans:
            _stop_if(should_cancel)
            background = next(drawn) if plan.drawn else GeneratedImage(self._own_background(plan))
            composites.append(self._compose(plan, background))
        return self._finished(plans, composites, should_cancel)

    def _plan(self, request: GenerationRequest) -> _Plan:
        assert request.image is not None  # noqa: S101 (for the type checker)
        if request.mask is not None:
            mask, mask_source = ~request.mask, "request"
        elif self._segmenter is not None:
            mask, mask_source = self._segmenter.mask(request.image), self._segmenter.name
        else:
            mask, mask_source = subject_mask(request.image), "border colours"
        if not 0 < mask.mean() <= LARGEST:
            mask, mask_source = ellipse(*mask.shape), "ellipse"
        wanted = self._context.background
        drawn = bool(request.prompt.strip()) if wanted == "by prompt" else wanted == "drawn"
        return _Plan(request, mask, mask_source, np.random.default_rng(request.seed), drawn)

    def _own_background(self, plan: _Plan) -> Pixels:
        """The image's own background, the subject's place filled, cut to the canvas's shape."""
        from scipy import ndimage

        assert plan.request.image is not None  # noqa: S101 (for the type checker)
        around = max(1, round(0.03 * min(plan.mask.shape)))  # the subject's soft edge goes with it
        filled = fill(plan.request.image, ndimage.binary_dilation(plan.mask, iterations=around))
        width, height = self._base.image_size
        rows, columns = filled.shape[:2]
        scale = min(columns / width, rows / height)
        keep_x, keep_y = max(1, round(width * scale)), max(1, round(height * scale))
        left, top = (columns - keep_x) // 2, (rows - keep_y) // 2
        return resize(filled[top : top + keep_y, left : left + keep_x], (width, height))

    def _compose(self, plan: _Plan, background: GeneratedImage) -> GeneratedImage:
        """The subject on its background, and all that was decided on the way."""
        image, context = plan.request.image, self._context
        assert image is not None  # noqa: S101 (for the type checker)
        placement = place(plan.mask, self._base.image_size, context.ranges, plan.rng)
        # The subject's colours reach beyond its edge, so that none of the old background shines through.
        extended = fill(image, ~plan.mask)
        subject = warp(extended, placement.matrix, self._base.image_size)
        alpha = soften(warp(plan.mask.astype(np.uint8) * 255, placement.matrix, self._base.image_size))
        subject = harmonise(subject, alpha, background.pixels, context.colour_strength, context.colour_limit)
        details = {
            "start": "context",
            "mask": described(plan.mask) | {"mask_source": plan.mask_source},
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
        """The composites after the image-to-image pass, those that ask for one, at the size to deliver."""
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
        """Of the last pass; the default is raised to what leaves one step."""
        if request.strength is not None:
            return request.strength
        one_step = math.ceil(100 / self.settings.num_inference_steps) / 100
        return max(self._context.strength, one_step) if self._context.strength else 0.0

    def _delivered(self, image: GeneratedImage) -> GeneratedImage:
        made = deliver(image.pixels, self.image_size, image.cut, image.details)
        return made if image.review is None else replace(made, review=image.review)


def _segmenter(name: str, device: str | None) -> Any:
    if not name:
        return None
    from synthaug.generators.compositing.segmentation import SubjectSegmenter

    return SubjectSegmenter(name, device=device)


def _checked(requests: Sequence[GenerationRequest]) -> Sequence[GenerationRequest]:
    for request in requests:
        if request.image is None:
            raise UserError(
                "contextual diversification starts from real images: this request has none (prompt "
                f"{request.prompt!r}); choose a view to take them from"
            )
        if request.mask is not None and request.mask.shape != request.image.shape[:2]:
            raise UserError(
                f"the mask is {request.mask.shape[::-1]} and its image {request.image.shape[1::-1]}; they must agree"
            )
    return requests


def _stop_if(should_cancel: ShouldCancel) -> None:
    if should_cancel():
        raise Cancelled("generation was cancelled")
