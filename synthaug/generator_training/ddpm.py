"""Training of a denoising diffusion model on pixels, class-conditional or not (Nichol & Dhariwal 2021).

It has the cosine schedule of improved DDPM. Instead of learning the variance, which helps ancestral sampling with few
steps, it predicts the velocity (Salimans & Ho 2022) with min-SNR weights (Hang et al. 2023) and is sampled with DDIM.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from synthaug.errors import UnknownName, UserError
from synthaug.generator_training.config import Schedule, TrainingConfig
from synthaug.generator_training.fitting import Fit
from synthaug.generator_training.latents import to_tensor
from synthaug.generator_training.losses import min_snr_weights
from synthaug.generator_training.summary import DiffusionSummary
from synthaug.generator_training.text_to_image import ignore_progress
from synthaug.generators.base import ModelCard
from synthaug.hardware import mixed_precision
from synthaug.progress import StepProgress

Size = Literal["tiny", "small", "paper"]

SCHEDULER = {
    "num_train_timesteps": 1000,
    "beta_schedule": "squaredcos_cap_v2",
    "prediction_type": "v_prediction",
    "timestep_spacing": "trailing",
    "set_alpha_to_one": False,
}
CHANNELS: dict[Size, tuple[int, ...]] = {
    "tiny": (16, 32),
    "small": (64, 128, 192),
    "paper": (128, 256, 256, 256),
}
"""Channels per level; "paper" is the network of improved DDPM for CIFAR-10."""
LAYERS: dict[Size, int] = {"tiny": 1, "small": 2, "paper": 3}
"""Residual blocks per level."""
DROPOUT: dict[Size, float] = {"tiny": 0.0, "small": 0.0, "paper": 0.3}


@dataclass(frozen=True, slots=True)
class DDPMConfig:
    """Training settings."""

    size: Size = "small"
    steps: int = 10_000
    batch_size: int = 64
    shards: int = 1  # parts of a batch, each processed on its own CPU core
    learning_rate: float = 4e-4
    warmup_steps: int = 100
    ema_decay: float = 0.999
    class_dropout: float = 0.1  # share of labels replaced by "no class", for classifier-free guidance
    min_snr_gamma: float = 5.0
    flip: bool = False  # mirror half of the images; leave off where left and right differ
    checkpoint_minutes: float = 2.0
    seed: int = 0

    @property
    def training(self) -> TrainingConfig:
        """The settings of the training loop."""
        return TrainingConfig(
            batch_size=self.batch_size,
            shards=self.shards,
            learning_rate=self.learning_rate,
            warmup_steps=self.warmup_steps,
            ema_decay=self.ema_decay,
            checkpoint_minutes=self.checkpoint_minutes,
            seed=self.seed,
        )


PAPER = DDPMConfig(
    size="paper", steps=500_000, batch_size=128, learning_rate=1e-4, warmup_steps=0, ema_decay=0.9999
)
"""Improved DDPM on CIFAR-10 (Nichol & Dhariwal 2021, appendix A); takes days on one GPU."""


def preset(size: str) -> DDPMConfig:
    """The settings for a size. Raises UnknownName for another one."""
    for known in CHANNELS:
        if known == size:
            return PAPER if known == "paper" else DDPMConfig(size=known)
    raise UnknownName("size", size, CHANNELS)


def train_ddpm(
    images: NDArray[np.uint8],
    labels: NDArray[np.int64] | None,
    classes: Sequence[str],
    config: DDPMConfig,
    output_dir: Path,
    checkpoint_dir: Path,
    *,
    progress: StepProgress = ignore_progress,
    trained_on: str = "",
) -> DiffusionSummary:
    """Train on ``images`` (N, S, S, 3) uint8 and write a ``DDIMPipeline`` folder; returns a summary of the run.

    ``labels`` (N,) index ``classes``; None trains an unconditional model. Continues from ``checkpoint_dir`` if a
    training with the same data and settings was started there. Raises UserError for unsuitable images, labels or
    settings.
    """
    _check(images, labels, classes, config)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    began = time.monotonic()
    shown = () if labels is None else tuple(classes)
    torch.manual_seed(config.seed)  # the only use of the global generator: initial weights
    unet = _on_device(make_unet(images.shape[1], config.size, len(shown) or None), device)
    fit = Fit(config.training, _fingerprint(images, labels, config), checkpoint_dir, progress)
    schedule = Schedule(config.steps, config.learning_rate, config.warmup_steps)
    loss = fit.run("ddpm", unet, DDPMLoss(unet, images, labels, len(classes), config, device), schedule)
    _write(unet, shown, trained_on, output_dir)
    return {
        "output": str(output_dir),
        "images": len(images),
        "seconds": time.monotonic() - began,
        "loss": loss,
        "parameters": sum(each.numel() for each in unet.parameters()),
        "config": asdict(config),
    }


def _on_device(unet: Any, device: torch.device) -> Any:
    """The network in the memory format and with the attention that are fastest on the device."""
    from diffusers.models.attention_processor import Attention, AttnProcessor

    unet = unet.to(device).to(memory_format=torch.channels_last)
    if device.type == "cpu":
        # On a CPU the backward pass of fused attention is slower than that of plain matrix products.
        for module in unet.modules():
            if isinstance(module, Attention):
                module.set_processor(AttnProcessor())
    return unet


def _write(unet: Any, classes: tuple[str, ...], trained_on: str, output_dir: Path) -> None:
    """Write the ``DDIMPipeline`` in half precision, and its card; ``classes`` is empty for an unconditional model."""
    from diffusers import DDIMPipeline, DDIMScheduler

    pipeline = DDIMPipeline(unet.cpu().half().eval(), DDIMScheduler(**SCHEDULER))
    pipeline.save_pretrained(output_dir, safe_serialization=True)
    card = ModelCard(
        name=output_dir.name,
        family="ddpm",
        num_inference_steps=50,
        guidance_scale=1.5 if classes else 1.0,
        batch_size=16,
        classes=classes,
        trained_on=trained_on,
    )
    card.write(output_dir)


def make_unet(side: int, size: Size, num_classes: int | None) -> Any:
    """A ``UNet2DModel`` on RGB pixels with attention at its two coarsest levels; an extra class means "no class"."""
    from diffusers import UNet2DModel

    channels = CHANNELS[size]
    attending = [0 < level >= len(channels) - 2 for level in range(len(channels))]
    down = ["AttnDownBlock2D" if each else "DownBlock2D" for each in attending]
    return UNet2DModel(
        sample_size=side,
        in_channels=3,
        out_channels=3,
        block_out_channels=channels,
        layers_per_block=LAYERS[size],
        dropout=DROPOUT[size],
        resnet_time_scale_shift="scale_shift" if size == "paper" else "default",
        down_block_types=tuple(down),
        up_block_types=tuple(name.replace("Down", "Up") for name in reversed(down)),
        norm_num_groups=8 if size == "tiny" else 32,
        attention_head_dim=16,
        num_class_embeds=None if num_classes is None else num_classes + 1,
    )


class DDPMLoss:
    """Min-SNR weighted velocity loss of one batch, deterministic given (seed, step, shard)."""

    def __init__(
        self,
        unet: Any,
        images: NDArray[np.uint8],
        labels: NDArray[np.int64] | None,
        num_classes: int,
        config: DDPMConfig,
        device: torch.device,
    ) -> None:
        from diffusers import DDIMScheduler

        self.unet, self.images, self.labels = unet, images, labels
        self.num_classes, self.config, self.device = num_classes, config, device
        self.noising = DDIMScheduler(**SCHEDULER)
        self.weights = min_snr_weights(self.noising, config.min_snr_gamma).to(device)

    def __call__(self, step: int, shard: int = 0) -> torch.Tensor:
        config = self.config
        rng = np.random.default_rng([config.seed, step, shard])
        indices = rng.integers(len(self.images), size=config.batch_size // config.shards)
        batch = self.images[indices]
        if config.flip:
            mirrored = rng.random(len(batch)) < 0.5
            batch = np.where(mirrored[:, None, None, None], batch[:, :, ::-1], batch)
        classes = self._labels(indices, rng)
        source = torch.Generator().manual_seed(int(rng.integers(2**63)))
        x = to_tensor(np.ascontiguousarray(batch), self.device)
        noise = torch.randn(x.shape, generator=source).to(self.device)
        times = torch.randint(len(self.weights), (len(x),), generator=source).to(self.device)
        if DROPOUT[config.size]:
            torch.manual_seed(source.initial_seed())  # dropout always uses the global generator
        noisy = self.noising.add_noise(x, noise, times)
        target = self.noising.get_velocity(x, noise, times)
        with mixed_precision(self.device):
            predicted = self.unet(noisy, times, class_labels=classes).sample
        error = (predicted.float() - target).square().mean(dim=(1, 2, 3))
        loss: torch.Tensor = (self.weights[times] * error).mean()
        return loss

    def _labels(self, indices: NDArray[np.int64], rng: np.random.Generator) -> torch.Tensor | None:
        if self.labels is None:
            return None
        dropped = rng.random(len(indices)) < self.config.class_dropout
        chosen = np.where(dropped, self.num_classes, self.labels[indices])
        return torch.from_numpy(chosen).to(self.device)


def _fingerprint(images: NDArray[np.uint8], labels: NDArray[np.int64] | None, config: DDPMConfig) -> str:
    free = {"steps", "checkpoint_minutes"}
    settings = {name: value for name, value in asdict(config).items() if name not in free}
    data = images.tobytes() + (b"" if labels is None else labels.tobytes())
    return hashlib.sha256(repr(settings).encode() + data).hexdigest()


def _check(
    images: NDArray[np.uint8], labels: NDArray[np.int64] | None, classes: Sequence[str], config: DDPMConfig
) -> None:
    levels = len(CHANNELS[config.size])
    square = images.ndim == 4 and images.shape[1] == images.shape[2] and images.shape[3] == 3
    if images.dtype != np.uint8 or not square or not len(images) or images.shape[1] % 2 ** (levels - 1):
        raise UserError(
            f"training images must be uint8 of shape (N, S, S, 3), S a multiple of {2 ** (levels - 1)}; "
            f"got {images.dtype} of shape {images.shape}"
        )
    if labels is not None and (
        labels.shape != (len(images),) or not 0 <= labels.min() <= labels.max() < len(classes)
    ):
        raise UserError(f"labels must be {len(images)} integers from 0 to {len(classes) - 1}")
    if config.shards > 1 and DROPOUT[config.size]:
        raise UserError(
            f"the size {config.size!r} has dropout, which needs a single shard, not {config.shards}"
        )
    if config.batch_size % config.shards:
        raise UserError(f"a batch of {config.batch_size} cannot be split into {config.shards} equal shards")
