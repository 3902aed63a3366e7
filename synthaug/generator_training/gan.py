"""Training of the DCGAN baseline: binary cross-entropy on logits, two optimizers, resumable after every epoch."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn

from synthaug.errors import SynthaugError, UserError
from synthaug.generator_training import checkpoints
from synthaug.generator_training.latents import to_tensor
from synthaug.generator_training.summary import GANSummary
from synthaug.generator_training.text_to_image import ignore_progress
from synthaug.generators.base import ModelCard
from synthaug.generators.dcgan import LATENT, Discriminator, Generator, initialise
from synthaug.generators.folders import GAN_WEIGHTS
from synthaug.generators.gan import SIDE
from synthaug.progress import StepProgress
from synthaug.weights import fill

CHECKPOINT = "gan.safetensors"


@dataclass(frozen=True, slots=True)
class GANConfig:
    """Training settings with the paper's defaults; ``vertical_flip`` and ``sharpness`` are its augmentations."""

    width: int = 128
    epochs: int = 300
    batch_size: int = 128
    learning_rate: float = 5e-5
    vertical_flip: bool = True
    sharpness: float = 2.0  # sharpening factor, applied to half of the images; 1 = off
    seed: int = 0


def train_gan(
    images: NDArray[np.uint8],
    classes: Sequence[str],
    config: GANConfig,
    output_dir: Path,
    checkpoint_dir: Path,
    *,
    progress: StepProgress = ignore_progress,
    trained_on: str = "",
) -> GANSummary:
    """Train on ``images`` (N, H, W, 3) uint8, resized to 64 px, and write a folder that ``GANGenerator`` reads.

    A prompt must later name one of ``classes``; without any, prompts are not read. Continues from ``checkpoint_dir``
    if a training with the same data and settings was started there. Returns a summary of the run. Raises UserError
    for unsuitable images or checkpoints.
    """
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3 or len(images) < 2:
        raise UserError(
            "training images must be uint8 of shape (N, H, W, 3) with N >= 2; "
            f"got {images.dtype} of shape {images.shape}"
        )
    began = time.monotonic()
    training = _Training(images, config, checkpoint_dir)
    losses: tuple[float, float] | tuple[None, None] = (None, None)  # stays so if all epochs are already done
    for epoch in range(training.start, config.epochs):
        losses = training.epoch(epoch)
        training.save(epoch + 1)
        progress("gan", epoch + 1, config.epochs, losses[0])
    output_dir.mkdir(parents=True, exist_ok=True)
    from safetensors.torch import save_file

    weights = {name: each.cpu().contiguous() for name, each in training.generator.state_dict().items()}
    save_file(weights, output_dir / GAN_WEIGHTS)
    ModelCard(
        name=output_dir.name,
        family="gan",
        output_size=(images.shape[2], images.shape[1]),
        classes=tuple(classes),
        trained_on=trained_on,
    ).write(output_dir)
    return {
        "output": str(output_dir),
        "images": len(images),
        "seconds": time.monotonic() - began,
        "generator_loss": losses[0],
        "discriminator_loss": losses[1],
        "config": asdict(config),
    }


class _Training:
    """Both networks with their optimizers; every epoch draws its random numbers from (seed, epoch) alone."""

    def __init__(self, images: NDArray[np.uint8], config: GANConfig, checkpoint_dir: Path) -> None:
        self.config = config
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.images = images
        torch.manual_seed(config.seed)  # the only use of the global generator: initial weights
        self.generator = Generator(config.width).to(self.device)
        self.discriminator = Discriminator(config.width).to(self.device)
        self.parts: dict[str, nn.Module] = {"generator": self.generator, "discriminator": self.discriminator}
        for each in self.parts.values():
            initialise(each)
        self.optimizers = {
            name: torch.optim.Adam(part.parameters(), config.learning_rate, betas=(0.5, 0.999))
            for name, part in self.parts.items()
        }
        settings = {name: value for name, value in asdict(config).items() if name != "epochs"}
        self.fingerprint = hashlib.sha256(repr(settings).encode() + images.tobytes()).hexdigest()
        self.path = checkpoint_dir / CHECKPOINT
        self.start = self._load()

    def epoch(self, number: int) -> tuple[float, float]:
        """One pass over the images; returns the mean losses of the generator and the discriminator."""
        config = self.config
        rng = np.random.default_rng([config.seed, number])
        source = torch.Generator().manual_seed(int(rng.integers(2**63)))
        order = torch.randperm(len(self.images), generator=source)
        sums = np.zeros(2)
        batches = order.tensor_split(math.ceil(len(order) / config.batch_size))
        for rows in batches:
            real = self._augmented(self._resized(rows), source)
            noise = torch.randn(len(rows), LATENT, 1, 1, generator=source).to(self.device)
            sums += self._step(real, noise)
        if not np.isfinite(sums).all():
            raise SynthaugError(f"training diverged in epoch {number + 1}; try a lower learning rate")
        generator_loss, discriminator_loss = (sums / len(batches)).tolist()
        return generator_loss, discriminator_loss

    def _resized(self, rows: torch.Tensor) -> torch.Tensor:
        """Images (B, 3, 64, 64) in -1 .. 1; resized per batch, because all of them at once take gigabytes."""
        pixels = to_tensor(self.images[rows.numpy()], self.device)
        return F.interpolate(pixels, (SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False)

    def _step(self, real: torch.Tensor, noise: torch.Tensor) -> tuple[float, float]:
        made = self.generator(noise)
        ones = torch.ones(len(real), device=self.device)
        judged_real, judged_made = self.discriminator(real), self.discriminator(made.detach())
        discriminator_loss = (
            F.binary_cross_entropy_with_logits(judged_real, ones)
            + F.binary_cross_entropy_with_logits(judged_made, torch.zeros_like(ones))
        ) / 2
        self._descend("discriminator", discriminator_loss)
        generator_loss = F.binary_cross_entropy_with_logits(self.discriminator(made), ones)
        self._descend("generator", generator_loss)
        return generator_loss.item(), discriminator_loss.item()

    def _descend(self, part: str, loss: torch.Tensor) -> None:
        self.optimizers[part].zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizers[part].step()

    def _augmented(self, images: torch.Tensor, source: torch.Generator) -> torch.Tensor:
        """``images`` with a random half flipped vertically and a random half sharpened."""
        from torchvision.transforms.v2.functional import adjust_sharpness

        config = self.config
        flipped, sharpened = (torch.rand(2, len(images), generator=source) < 0.5).to(self.device)
        if config.vertical_flip:
            images = torch.where(flipped.view(-1, 1, 1, 1), images.flip(-2), images)
        if config.sharpness != 1:
            sharp = adjust_sharpness((images + 1) / 2, config.sharpness) * 2 - 1
            images = torch.where(sharpened.view(-1, 1, 1, 1), sharp, images)
        return images

    def save(self, epochs: int) -> None:
        """Write everything that the next epoch needs, atomically."""
        tensors: dict[str, torch.Tensor] = {}
        for name, part in self.parts.items():
            tensors |= {f"{name}.{key}": each for key, each in part.state_dict().items()}
            tensors |= checkpoints.moments(f"adam.{name}.", self.optimizers[name])
        metadata = {"epochs": str(epochs), "fingerprint": self.fingerprint}
        checkpoints.write(self.path, tensors, metadata)

    def _load(self) -> int:
        """Restore what ``save`` wrote; returns the number of epochs done, 0 if there is no file."""
        metadata, tensors = checkpoints.read(self.path, self.fingerprint)
        if not metadata:
            return 0
        done = checkpoints.count(self.path, metadata, "epochs")
        if done > self.config.epochs:
            raise UserError(
                f"{self.path} is already at epoch {done}, beyond the requested {self.config.epochs}"
            )
        for name, part in self.parts.items():
            fill(part, checkpoints.under(f"{name}.", tensors), self.path)
            moments = checkpoints.under(f"adam.{name}.", tensors)
            checkpoints.restore_moments(self.optimizers[name], moments, self.path)
        return done
