"""A trained DCGAN as a generator: one pass from noise to image, no prompt but the class it was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from synthaug.errors import Cancelled, SynthaugError, UserError
from synthaug.generators.base import GeneratedImage, GenerationSettings, ModelCard, ShouldCancel
from synthaug.generators.classes import named_class
from synthaug.generators.dcgan import LATENT, Generator
from synthaug.generators.folders import GAN_WEIGHTS, find_model
from synthaug.records import GenerationRequest, Pixels

SIDE = 64  # pixels
BATCH = 64


class GANGenerator:
    """Normalisation uses the running statistics, so that an image does not depend on its batch."""

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
        if num_inference_steps is not None or guidance_scale is not None or compile:
            raise UserError(
                f"{name} is a GAN: it has no steps, no guidance and nothing to compile; leave them out"
            )
        folder = find_model(name)
        self.name, self.revision = str(name), folder.revision
        self._card = ModelCard.read(folder.path)
        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self._network = _load(folder.path / GAN_WEIGHTS).to(self._device).eval()
        self.settings = GenerationSettings(
            num_inference_steps=1,
            guidance_scale=1.0,
            batch_size=BATCH if self._device == "cpu" else batch_size or BATCH,
            output_size=output_size or self._card.output_size or (SIDE, SIDE),
            scheduler="",
            device=self._device,
            dtype="float32",
        )

    @property
    def image_size(self) -> tuple[int, int]:
        """Width and height of the images."""
        return self.settings.output_size

    def describe(self) -> ModelCard:
        """The model folder's card."""
        return self._card

    def generate(
        self, requests: Sequence[GenerationRequest], should_cancel: ShouldCancel = lambda: False
    ) -> list[GeneratedImage]:
        """One image a request, in order; see :class:`synthaug.generators.base.Generator`."""
        cuts = [self._unread(request) for request in requests]
        images: list[GeneratedImage] = []
        for start in range(0, len(requests), BATCH):
            if should_cancel():
                raise Cancelled("generation was cancelled")
            part = requests[start : start + BATCH]
            drawn = self._draw([each.seed for each in part] + [0] * (BATCH - len(part)))[: len(part)]
            images += [
                self._delivered(pixels, cut)
                for pixels, cut in zip(drawn, cuts[start : start + BATCH], strict=True)
            ]
        return images

    def _unread(self, request: GenerationRequest) -> str:
        """The prompt where it is not read. Raises UserError for a class that the GAN does not draw."""
        if request.image is not None or request.guidance_scale is not None:
            raise UserError(f"{self.name} is a GAN: it starts from noise alone and takes no guidance")
        if not self._card.classes:
            return request.prompt
        named_class(request.prompt, self._card.classes)
        return ""

    @torch.inference_mode()
    def _draw(self, seeds: Sequence[int]) -> NDArray[np.uint8]:
        """Images (B, 64, 64, 3) uint8; noise is drawn on the CPU, so that it depends on the seed alone."""
        noise = [torch.randn(LATENT, 1, 1, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
        drawn = self._network(torch.stack(noise).to(self._device))
        if not torch.isfinite(drawn).all():
            raise SynthaugError(f"{self.name} drew values that are no numbers; its weights are damaged")
        levels = ((drawn + 1) * 127.5).round().to(torch.uint8)
        images: NDArray[np.uint8] = levels.permute(0, 2, 3, 1).cpu().numpy()
        return images

    def _delivered(self, drawn: Pixels, cut: str) -> GeneratedImage:
        if self.image_size == drawn.shape[1::-1]:
            return GeneratedImage(drawn, cut=cut)
        resized = np.asarray(Image.fromarray(drawn).resize(self.image_size, Image.Resampling.LANCZOS))
        return GeneratedImage(resized, review=drawn if self.image_size[0] < SIDE else None, cut=cut)


def _load(path: Path) -> Generator:
    """The network whose weights lie at ``path``; its width follows from them."""
    from safetensors.torch import load_file

    state = load_file(path)
    try:
        network = Generator(state["layers.0.weight"].shape[1] // 8)
        network.load_state_dict(state)
    except (KeyError, RuntimeError) as error:
        raise UserError(f"{path} holds no DCGAN generator: {error}") from error
    return network
