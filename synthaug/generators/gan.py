"""A trained DCGAN as a generator: one pass from noise to image; its prompts only name the class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from synthaug.errors import Cancelled, SynthaugError, UserError
from synthaug.generators.base import GeneratedImage, GenerationSettings, ModelCard, ShouldCancel
from synthaug.generators.classes import named_class
from synthaug.generators.dcgan import LATENT, Generator
from synthaug.generators.delivery import check_positive, deliver, delivered_size
from synthaug.generators.folders import GAN_WEIGHTS, find_model
from synthaug.records import GenerationRequest
from synthaug.weights import fill, read_tensors

SIDE = 64  # pixels
BATCH = 16


class GANGenerator:
    """Batch normalisation uses its running statistics, so that an image does not depend on its batch."""

    def __init__(
        self,
        name: str | Path,
        *,
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        batch_size: int | None = None,
        output_size: tuple[int, int] | None = None,
        device: str | None = None,
        compile: bool = False,
    ) -> None:
        if num_inference_steps not in (None, 1) or guidance_scale not in (None, 1.0) or compile:
            raise UserError(
                f"{name} is a GAN: it has no steps, no guidance and nothing to compile; leave them out"
            )
        check_positive("batch size", batch_size)
        folder = find_model(name)
        self.name, self.revision = str(name), folder.revision
        self._card = ModelCard.read(folder.path)
        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self._network = _load(folder.path / GAN_WEIGHTS).to(self._device).eval()
        self.settings = GenerationSettings(
            num_inference_steps=1,
            guidance_scale=1.0,
            batch_size=BATCH if self._device == "cpu" else batch_size or BATCH,
            output_size=delivered_size((SIDE, SIDE), output_size or self._card.output_size),
            scheduler="",
            device=self._device,
            dtype="float32",
        )

    @property
    def image_size(self) -> tuple[int, int]:
        """Width and height of the images in pixels."""
        return self.settings.output_size

    def describe(self) -> ModelCard:
        """The card of the model folder."""
        return self._card

    def generate(
        self, requests: Sequence[GenerationRequest], should_cancel: ShouldCancel = lambda: False
    ) -> list[GeneratedImage]:
        """One image per request, in order; see :class:`synthaug.generators.base.Generator`."""
        cuts = [self._unread(request) for request in requests]
        images: list[GeneratedImage] = []
        size = self.settings.batch_size
        for start in range(0, len(requests), size):
            if should_cancel():
                raise Cancelled("generation was cancelled")
            seeds = [each.seed for each in requests[start : start + size]]
            # Pad every batch to the same size: on a CPU its shape can change the last bit of a pixel.
            drawn = self._draw(seeds + [0] * (size - len(seeds)))[: len(seeds)]
            images += [
                deliver(pixels, self.image_size, cut)
                for pixels, cut in zip(drawn, cuts[start : start + size], strict=True)
            ]
        return images

    def _unread(self, request: GenerationRequest) -> str:
        """The part of the prompt that is not read. Raises UserError for a class that the GAN does not have."""
        if request.image is not None or request.guidance_scale not in (None, 1.0):
            raise UserError(
                f"{self.name} is a GAN: it starts from noise only and takes no image and no guidance"
            )
        if not self._card.classes:
            return request.prompt
        named_class(request.prompt, self._card.classes)
        return ""

    @torch.inference_mode()
    def _draw(self, seeds: Sequence[int]) -> NDArray[np.uint8]:
        """Images (B, 64, 64, 3) uint8; the noise is drawn on the CPU, so that it depends on the seed alone."""
        noise = [torch.randn(LATENT, 1, 1, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
        drawn = self._network(torch.stack(noise).to(self._device))
        if not torch.isfinite(drawn).all():
            raise SynthaugError(f"{self.name} produced NaN or infinite values; its weights are damaged")
        levels = ((drawn + 1) * 127.5).round().to(torch.uint8)
        images: NDArray[np.uint8] = levels.permute(0, 2, 3, 1).cpu().numpy()
        return images


def _load(path: Path) -> Generator:
    """The network with the weights at ``path``, which also determine its width."""
    _, tensors = read_tensors(path)
    first = tensors.get("layers.0.weight")
    if first is None or first.ndim != 4 or first.shape[1] < 8:
        raise UserError(
            f"{path} is not a DCGAN generator: its first tensors are {', '.join(sorted(tensors)[:3])}"
        )
    network = Generator(first.shape[1] // 8)
    fill(network, tensors, path)
    return network
