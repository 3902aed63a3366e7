"""Text to image through any diffusers pipeline: Stable Diffusion 1 and 2, XL, Turbo, or the embedded model."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from synthaug.errors import Cancelled, SynthaugError, UserError
from synthaug.generators.base import (
    GeneratedImage,
    GenerationSettings,
    ModelCard,
    ShouldCancel,
)
from synthaug.generators.folders import find_model
from synthaug.generators.pipelines import load_pipeline
from synthaug.records import GenerationRequest, Pixels

ACCELERATOR_BATCH = 8  # images; halved for good when memory runs out
CPU_BATCH = 1  # images; a large model gains nothing from more

log = logging.getLogger(__name__)


def never() -> bool:
    """The question "should I stop?" answered with no."""
    return False


class DiffusionGenerator:
    """Drives one pipeline; a batch always has the same shape on a CPU, so that pixels depend on nothing else."""

    def __init__(
        self,
        name: str | Path,
        *,
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        batch_size: int | None = None,
        output_size: tuple[int, int] | None = None,
        device: str | None = None,
    ) -> None:
        folder = find_model(name)
        self.name = str(name)
        self.revision = folder.revision
        self._card = ModelCard.read(folder.path)
        self._loaded = load_pipeline(folder, device)
        _check_positive("batch size", batch_size)
        _check_positive("number of steps", num_inference_steps)
        self.settings = GenerationSettings(
            num_inference_steps=_first(
                num_inference_steps,
                self._card.num_inference_steps,
                self._loaded.default("num_inference_steps"),
            ),
            guidance_scale=float(
                _first(guidance_scale, self._card.guidance_scale, self._loaded.default("guidance_scale"))
            ),
            batch_size=self._batch_size(batch_size),
            output_size=self._output_size(output_size),
            scheduler=type(self._loaded.pipeline.scheduler).__name__,
            device=self._loaded.device,
            dtype=str(self._loaded.dtype).removeprefix("torch."),
        )
        self._batch = self.settings.batch_size

    @property
    def image_size(self) -> tuple[int, int]:
        """Width and height of the images."""
        return self.settings.output_size

    def describe(self) -> ModelCard:
        """The model folder's card."""
        return self._card

    def generate(
        self, requests: Sequence[GenerationRequest], should_cancel: ShouldCancel = never
    ) -> list[GeneratedImage]:
        """One image a request, in order; see :class:`synthaug.generators.base.Generator`."""
        import torch

        images: list[GeneratedImage] = []
        while len(images) < len(requests):
            batch = requests[len(images) : len(images) + self._batch]
            try:
                images += self._generate_batch(batch, should_cancel)
            except torch.OutOfMemoryError as error:
                self._halve_batch(error)
        return images

    def _generate_batch(
        self, requests: Sequence[GenerationRequest], should_cancel: ShouldCancel
    ) -> list[GeneratedImage]:
        padding = [requests[-1]] * (self._batch - len(requests)) if self._loaded.device == "cpu" else []
        with self._loaded.lock:
            drawn = self._draw([*requests, *padding], should_cancel)[: len(requests)]
            cuts = [self._cut(request.prompt) for request in requests]
        return [self._delivered(pixels, cut) for pixels, cut in zip(drawn, cuts, strict=True)]

    def _draw(self, requests: Sequence[GenerationRequest], should_cancel: ShouldCancel) -> NDArray[np.uint8]:
        """Images (N, H, W, 3) uint8 at the pipeline's own size."""
        import torch

        def stop_if_asked(pipeline: Any, step: int, time: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            if should_cancel():
                raise Cancelled("generation was cancelled")
            return tensors

        if should_cancel():
            raise Cancelled("generation was cancelled")
        width, height = self._loaded.native_size
        guided = self.settings.guidance_scale > 1
        with torch.inference_mode():
            drawn = self._loaded.pipeline(
                **self._loaded.prompt_arguments([request.prompt for request in requests], guided),
                # Noise is drawn on the CPU, one source an image, so that it depends on the seed alone.
                generator=[torch.Generator().manual_seed(request.seed) for request in requests],
                num_inference_steps=self.settings.num_inference_steps,
                guidance_scale=self.settings.guidance_scale,
                width=width,
                height=height,
                callback_on_step_end=stop_if_asked,
                output_type="np",
            ).images
        if not np.isfinite(drawn).all():
            raise SynthaugError(
                f"{self.name} drew values that are no numbers in {self.settings.dtype}; try device='cpu'"
            )
        images: NDArray[np.uint8] = np.rint(drawn * 255).astype(np.uint8)
        return images

    def _delivered(self, drawn: Pixels, cut: str) -> GeneratedImage:
        if self.image_size == self._loaded.native_size:
            return GeneratedImage(drawn, cut=cut)
        reduced = Image.fromarray(drawn).resize(self.image_size, Image.Resampling.LANCZOS)
        return GeneratedImage(np.asarray(reduced), review=drawn, cut=cut)

    def _cut(self, prompt: str) -> str:
        cut = self._loaded.unread(prompt)
        if cut:
            log.warning("the text encoder does not read the end of the prompt: %r of %r", cut, prompt)
        return cut

    def _batch_size(self, asked: int | None) -> int:
        if self._loaded.device == "cpu":
            return self._card.batch_size or CPU_BATCH
        return asked or self._card.batch_size or ACCELERATOR_BATCH

    def _halve_batch(self, error: Exception) -> None:
        import torch

        if self._batch == 1:
            raise UserError(
                f"{self.name} needs more memory than {self._loaded.device} has, even for one image; "
                "close other programs, or choose a smaller model or device='cpu'"
            ) from error
        self._batch //= 2
        torch.cuda.empty_cache()

    def _output_size(self, asked: tuple[int, int] | None) -> tuple[int, int]:
        """The size to deliver: what is drawn, brought within the size asked for, its shape kept."""
        drawn = self._loaded.native_size
        width, height = asked or self._card.output_size or drawn
        if min(width, height) < 1:
            raise UserError(f"the output size is {width}x{height}; both must be at least 1")
        scale = min(1.0, width / drawn[0], height / drawn[1])
        return max(1, round(scale * drawn[0])), max(1, round(scale * drawn[1]))


def _first(*values: Any) -> Any:
    """The first value that is not None."""
    return next(value for value in values if value is not None)


def _check_positive(what: str, value: int | None) -> None:
    if value is not None and value < 1:
        raise UserError(f"the {what} is {value}; it must be at least 1")
