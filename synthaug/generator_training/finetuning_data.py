"""Inputs of a fine-tuning step: latents of the images, embeddings of the captions, and images of the class."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

from synthaug.files import new_file
from synthaug.generator_training.adapters import DRAWN_AT_ONCE, Tunable
from synthaug.generator_training.latents import encode
from synthaug.images import resize
from synthaug.records import Pixels

if TYPE_CHECKING:
    import torch

KEPT_CAPTIONS = 4096
"""Largest number of distinct captions whose embeddings are cached; with more, every step runs the text encoder."""
ENCODED_AT_ONCE = 8


def fit_to(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """An image cropped centrally to the aspect ratio of ``size`` (width, height) and resized with antialiasing."""
    height, width = pixels.shape[:2]
    scale = min(width / size[0], height / size[1])
    across, down = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
    left, top = (width - across) // 2, (height - down) // 2
    return resize(pixels[top : top + down, left : left + across], size)


class Latents:
    """Mean and standard deviation of the latents of every image and, if wanted, of its mirror image, in main memory."""

    def __init__(self, tunable: Tunable, images: Sequence[Pixels], flip: bool) -> None:
        import torch

        # Always the same memory layout, because another one would round differently.
        prepared = np.ascontiguousarray(np.stack([fit_to(each, tunable.resolution) for each in images]))
        sides = [prepared, np.ascontiguousarray(prepared[:, :, ::-1])] if flip else [prepared]
        vae = tunable.pipeline.vae
        with tunable.assembled():
            kept = [
                torch.stack(encode(vae, side[start : start + ENCODED_AT_ONCE], tunable.device)).cpu()
                for side in sides
                for start in range(0, len(side), ENCODED_AT_ONCE)
            ]
        self._moments = torch.cat(kept, dim=1)
        self._images, self._flip = len(images), flip
        self._scale, self._device = vae.config.scaling_factor, tunable.device

    def draw(
        self, rng: np.random.Generator, source: torch.Generator, count: int
    ) -> tuple[NDArray[np.int64], torch.Tensor]:
        """The indices (N,) of random images and a sample of their latents (N, C, h, w)."""
        import torch

        indices = rng.integers(self._images, size=count)
        mirrored = rng.integers(2, size=count) * self._images if self._flip else 0
        mean, std = self._moments[:, torch.from_numpy(indices + mirrored)]
        latents = (mean + std * torch.randn(mean.shape, generator=source)) * self._scale
        return indices, latents.to(self._device)


class Conditioning(TypedDict):
    """Arguments of the U-Net's call."""

    encoder_hidden_states: torch.Tensor  # text embeddings (N, L, D)
    added_cond_kwargs: NotRequired[dict[str, torch.Tensor]]  # of SDXL


class Conditions:
    """The conditioning inputs of the U-Net: text embeddings and, for SDXL, image sizes."""

    def __init__(self, tunable: Tunable, captions: Sequence[str]) -> None:
        import torch

        self._tunable = tunable
        self._kept: dict[str, dict[str, torch.Tensor]] = {}
        different = {"", *captions}
        self._live = tunable.config.text_encoder or len(different) > KEPT_CAPTIONS
        if not self._live:
            with tunable.assembled(), torch.no_grad():
                self._kept = {text: _to("cpu", self._encode(text)) for text in sorted(different)}

    def __call__(self, captions: Sequence[str]) -> Conditioning:
        """The arguments of the U-Net's call for these captions."""
        import torch

        tunable = self._tunable
        if tunable.config.text_encoder:
            each = [self._encode(text) for text in captions]
        elif self._live:
            with tunable.assembled(), torch.no_grad():
                each = [self._encode(text) for text in captions]
        else:
            each = [_to(tunable.device, self._kept[text]) for text in captions]
        embeddings = torch.cat([one["text"] for one in each])
        if not tunable.is_xl:
            return {"encoder_hidden_states": embeddings}
        width, height = tunable.resolution
        sizes = torch.tensor([[height, width, 0, 0, height, width]] * len(each), device=tunable.device)
        pooled = torch.cat([one["pooled"] for one in each])
        return {
            "encoder_hidden_states": embeddings,
            "added_cond_kwargs": {"text_embeds": pooled, "time_ids": sizes.to(embeddings.dtype)},
        }

    def _encode(self, caption: str) -> dict[str, torch.Tensor]:
        pipeline, device = self._tunable.pipeline, self._tunable.device
        with self._tunable.accelerator.autocast():
            encoded = pipeline.encode_prompt(
                prompt=caption, device=device, num_images_per_prompt=1, do_classifier_free_guidance=False
            )
        if not self._tunable.is_xl:
            return {"text": encoded[0]}
        embeddings = {"text": encoded[0], "pooled": encoded[2]}
        if not caption and pipeline.config.force_zeros_for_empty_prompt:
            return {name: each.zero_() for name, each in embeddings.items()}
        return embeddings


def _to(device: torch.device | str, embeddings: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: each.to(device) for name, each in embeddings.items()}


def class_images(tunable: Tunable, folder: Path, report: Callable[[int, int], None]) -> list[Pixels]:
    """Images of the class, generated by the base and cached in ``folder``."""
    config = tunable.config
    count, prompt = config.class_images, config.class_prompt or ""
    key = hashlib.sha256(repr((tunable.base.revision, prompt, config.seed, count)).encode()).hexdigest()
    path = folder / f"class-{key[:16]}.npy"
    if path.exists():
        return list(np.load(path, allow_pickle=False))
    images: list[Pixels] = []
    while len(images) < count:
        seeds = [config.seed * count + place for place in range(len(images), len(images) + DRAWN_AT_ONCE)]
        images += tunable.draw([prompt] * len(seeds), seeds)
        report(min(len(images), count), count)
    images = images[:count]
    with new_file(path) as file:
        np.save(file, np.stack(images), allow_pickle=False)
    return images
