"""Latents of the training images: computed on the fly, or only once if no augmentation changes the images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from synthaug.generator_training.checkpoints import kept_or_made
from synthaug.generator_training.config import TrainingData
from synthaug.hardware import mixed_precision

if TYPE_CHECKING:
    import torch

    Moments = Callable[[NDArray[np.uint8], NDArray[np.int64]], tuple[torch.Tensor, torch.Tensor]]
    """Maps images (N, H, W, 3) and their indices to the mean and standard deviation (N, C, h, w) of their latents."""

BATCH = 250


def to_tensor(images: NDArray[np.uint8], device: torch.device) -> torch.Tensor:
    """Convert images (N, H, W, 3) uint8 to a tensor (N, 3, H, W) float32 in -1 .. 1."""
    import torch

    return torch.from_numpy(images).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1


def scaling_factor(vae: Any, data: TrainingData, device: torch.device) -> float:
    """The factor that scales the latents to unit variance (Rombach et al. 2022, section G)."""
    rng = data.rng("vae", data.config.vae_steps)
    mean, _ = encode(vae, data.draw(rng, 512)[0], device)
    return float(1 / mean.std())


def encode(vae: Any, images: NDArray[np.uint8], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation (N, C, h, w) of the unscaled latents of images (N, H, W, 3) uint8."""
    import torch

    with torch.no_grad():
        posterior = vae.encode(to_tensor(images, device)).latent_dist
    return posterior.mean.float(), posterior.std.float()


def moments_of(vae: Any, data: TrainingData, folder: Path, fingerprint: str, device: torch.device) -> Moments:
    """A function that returns the moments of a batch; without augmentation they are computed once and cached."""
    if data.augment is not None:
        return lambda images, indices: encode(vae, images, device)
    kept = _all_moments(vae, data, folder / "latents.safetensors", fingerprint, device)

    def look_up(images: NDArray[np.uint8], indices: NDArray[np.int64]) -> tuple[torch.Tensor, torch.Tensor]:
        mean, std = kept[:, indices].float().to(device)
        return mean, std

    return look_up


def _all_moments(
    vae: Any, data: TrainingData, path: Path, fingerprint: str, device: torch.device
) -> torch.Tensor:
    """Moments (2, N, C, h, w) float16 of all images, cached at ``path``."""
    import torch

    def encoded() -> torch.Tensor:
        parts = []
        for start in range(0, len(data.images), BATCH):
            with mixed_precision(device, wanted=data.config.mixed_precision):
                parts.append(
                    torch.stack(encode(vae, data.images[start : start + BATCH], device)).half().cpu()
                )
        return torch.cat(parts, dim=1)

    return kept_or_made(path, fingerprint, encoded)
