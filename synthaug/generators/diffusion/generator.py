"""Generating with any diffusers text-to-image pipeline: from text, from an image, or inside a mask."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, TypeVar

import numpy as np
from numpy.typing import NDArray

from synthaug.errors import Cancelled, SynthaugError, UserError
from synthaug.generators.base import (
    EVERY_STEP,
    GeneratedImage,
    GenerationSettings,
    Interval,
    ModelCard,
    ShouldCancel,
)
from synthaug.generators.delivery import check_positive, deliver, delivered_size
from synthaug.generators.diffusion.batches import Setting, group, keep_unmasked, masks, sources
from synthaug.generators.diffusion.guided_steps import GuidedSteps, check_interval
from synthaug.generators.diffusion.loading import load_pipeline
from synthaug.generators.diffusion.pipelines import is_out_of_memory
from synthaug.generators.folders import find_model
from synthaug.hardware import CPUFormat
from synthaug.records import GenerationRequest, Pixels

if TYPE_CHECKING:
    import torch
    from diffusers import DiffusionPipeline

    from synthaug.generators.diffusion.pipelines import Arguments

Value = TypeVar("Value")

ACCELERATOR_BATCH = 8  # images; permanently halved when memory runs out
CPU_BATCH = 1  # images; larger batches do not make a large model faster


def never() -> bool:
    """The default of ``should_cancel``: generation is never cancelled."""
    return False


class _StartArguments(TypedDict, total=False):
    """Arguments of a pipeline's call for the size and the starting images."""

    width: int  # pixels
    height: int
    image: NDArray[np.float32]  # (N, H, W, 3), 0..1
    strength: float | None
    mask_image: NDArray[np.float32]  # (N, H, W), 1 where the image is replaced


class DiffusionGenerator:
    """Drives one pipeline. On a CPU all batches have the same shape, so that pixels do not depend on the batch."""

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
        compile: bool = False,
        cpu_format: CPUFormat = "float32",
    ) -> None:
        folder = find_model(name)
        self.name = str(name)
        self.revision = folder.revision
        self._card = ModelCard.read(folder.path)
        self._loaded = load_pipeline(folder, device, compile, cpu_format)
        check_positive("batch size", batch_size)
        check_positive("number of steps", num_inference_steps)
        self.settings = GenerationSettings(
            num_inference_steps=_first(
                num_inference_steps, self._card.num_inference_steps, default=self._loaded.default_steps
            ),
            guidance_scale=float(
                _first(guidance_scale, self._card.guidance_scale, default=self._loaded.default_guidance)
            ),
            batch_size=self._batch_size(batch_size),
            output_size=delivered_size(self._loaded.native_size, output_size or self._card.output_size),
            scheduler=type(self._loaded.pipeline.scheduler).__name__,
            device=self._loaded.device,
            dtype=self._loaded.number_format,
            guidance_interval=self._interval(guidance_interval),
        )
        self._batch = self.settings.batch_size

    @property
    def image_size(self) -> tuple[int, int]:
        """Width and height of the images in pixels."""
        return self.settings.output_size

    def describe(self) -> ModelCard:
        """The card of the model folder."""
        return self._card

    def generate(
        self, requests: Sequence[GenerationRequest], should_cancel: ShouldCancel = never
    ) -> list[GeneratedImage]:
        """One image per request, in order; see :class:`synthaug.generators.base.Generator`.

        Requests with the same guidance, start and strength share batches.
        """
        images: dict[int, GeneratedImage] = {}
        groups = group(requests, self.settings.guidance_scale, self.settings.num_inference_steps)
        for setting, positions in groups.items():
            while positions:
                batch = positions[: self._batch]
                try:
                    drawn = self._generate_batch([requests[each] for each in batch], setting, should_cancel)
                except (RuntimeError, MemoryError) as error:
                    self._make_room(error)
                    continue
                images |= zip(batch, drawn, strict=True)
                positions = positions[len(batch) :]
        return [images[position] for position in range(len(requests))]

    def _generate_batch(
        self, requests: Sequence[GenerationRequest], setting: Setting, should_cancel: ShouldCancel
    ) -> list[GeneratedImage]:
        padding = [requests[-1]] * (self._batch - len(requests)) if self._loaded.fixed_batch else []
        with self._loaded.lock:
            drawn = self._draw([*requests, *padding], setting, should_cancel)[: len(requests)]
            cuts = [self._loaded.unread(request.prompt) for request in requests]
        return [
            self._delivered(pixels, request, setting, cut)
            for pixels, request, cut in zip(drawn, requests, cuts, strict=True)
        ]

    def _draw(
        self, requests: Sequence[GenerationRequest], setting: Setting, should_cancel: ShouldCancel
    ) -> NDArray[np.uint8]:
        """Images (N, H, W, 3) uint8 at the native size of the pipeline."""
        import torch

        def between_steps(
            pipeline: DiffusionPipeline, step: int, time: torch.Tensor, tensors: dict[str, torch.Tensor]
        ) -> dict[str, torch.Tensor]:
            if should_cancel():
                raise Cancelled("generation was cancelled")
            return tensors if guided is None else guided.before(pipeline, step + 1)

        if should_cancel():
            raise Cancelled("generation was cancelled")
        pipeline = self._loaded.starting_from(setting.start)
        arguments = self._loaded.arguments([request.prompt for request in requests], setting.guidance_scale)
        guided = self._guided_steps(arguments, setting)
        with torch.inference_mode():
            drawn = pipeline(
                **(arguments if guided is None else guided.first()),
                **self._start_arguments(pipeline, requests, setting),
                # Draw the noise on the CPU with one generator per image, so that it depends on the seed alone.
                generator=[torch.Generator().manual_seed(request.seed) for request in requests],
                num_inference_steps=self.settings.num_inference_steps,
                callback_on_step_end=between_steps,
                output_type="np",
            ).images
        if not np.isfinite(drawn).all():
            raise SynthaugError(
                f"{self.name} produced NaN or infinite values in {self.settings.dtype}; try device='cpu'"
            )
        images: NDArray[np.uint8] = np.rint(drawn * 255).astype(np.uint8)
        return images

    def _guided_steps(self, arguments: Arguments, setting: Setting) -> GuidedSteps | None:
        """What changes between the steps; None if all are guided, or none.

        Inpainting guides all: its pipeline prepares the masks for the guidance of the first step.
        """
        interval = self.settings.guidance_interval
        if interval == EVERY_STEP or setting.start == "inpaint" or "negative_prompt_embeds" not in arguments:
            return None
        return GuidedSteps(arguments, interval)

    def _start_arguments(
        self, pipeline: DiffusionPipeline, requests: Sequence[GenerationRequest], setting: Setting
    ) -> _StartArguments:
        """The arguments of the pipeline's call besides the prompts: the size, and the images to start from."""
        size = self._loaded.native_size
        parameters = inspect.signature(pipeline.__call__).parameters  # some infer the size from the image
        arguments: _StartArguments = {}
        if "width" in parameters:
            arguments["width"] = size[0]
        if "height" in parameters:
            arguments["height"] = size[1]
        if setting.start == "text":
            return arguments
        arguments["image"] = np.stack(sources(requests, size)).astype(np.float32) / np.float32(255)
        arguments["strength"] = setting.strength
        if setting.start == "inpaint":
            arguments["mask_image"] = np.stack(masks(requests, size)).astype(np.float32)
        return arguments

    def _delivered(
        self, drawn: Pixels, request: GenerationRequest, setting: Setting, cut: str
    ) -> GeneratedImage:
        made = deliver(self._kept(drawn, request), self.image_size, cut, setting.details(request))
        return made if made.review is None else replace(made, pixels=self._kept(made.pixels, request))

    @staticmethod
    def _kept(drawn: Pixels, request: GenerationRequest) -> Pixels:
        """``drawn`` with the unmasked pixels restored, because the VAE alters even what inpainting keeps."""
        if request.mask is None:
            return drawn
        (source,) = sources([request], (drawn.shape[1], drawn.shape[0]))
        return keep_unmasked(drawn, request, source)

    def _interval(self, requested: Interval | None) -> Interval:
        """The steps in which guidance applies. Raises UserError for a pipeline that can only guide all."""
        interval = _first(requested, self._card.guidance_interval, default=EVERY_STEP)
        check_interval(interval)
        if interval != EVERY_STEP and not self._loaded.guides_in_part:
            raise UserError(
                f"{self.name} has the pipeline {type(self._loaded.pipeline).__name__}; only StableDiffusionPipeline "
                "can be guided in a part of the steps; leave out the guidance interval"
            )
        return interval

    def _batch_size(self, requested: int | None) -> int:
        if self._loaded.device == "cpu":
            return self._card.batch_size or CPU_BATCH
        return requested or self._card.batch_size or ACCELERATOR_BATCH

    def _make_room(self, error: Exception) -> None:
        """Halve the batch permanently if memory ran out; raise any other error again."""
        import torch

        if self._loaded.compiled and isinstance(error, torch._dynamo.exc.TorchDynamoException):
            reason = str(error).strip().partition("\n")[0]
            raise UserError(
                f"{self.name} cannot be compiled on this machine ({reason}); run it without compilation"
            ) from error
        if not is_out_of_memory(error):
            raise error
        if self._batch == 1 or self._loaded.fixed_batch:
            raise UserError(
                f"{self.name} needs more memory than {self._loaded.device} has, even for {self._batch} "
                f"image{'s' * (self._batch > 1)}; close other programs, or choose a smaller model or device='cpu'"
            ) from error
        self._batch //= 2
        torch.cuda.empty_cache()


def _first(*values: Value | None, default: Value) -> Value:
    """The first value that is not None, or else the default."""
    return next((value for value in values if value is not None), default)
