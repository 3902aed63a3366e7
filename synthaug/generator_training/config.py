"""Settings, schedules and training batches of a small Stable Diffusion."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

import numpy as np
from numpy.typing import NDArray

from synthaug.generator_training.networks import Architecture
from synthaug.records import Pixels

CaptionsFor = Callable[[Pixels, int, np.random.Generator], str]
"""Maps an (augmented) image, its index in ``images`` and a random generator to a caption."""
Augment = Callable[[Pixels, np.random.Generator], Pixels]

PHASES = ("tokenizer", "vae", "diffusion")
FREE = {"steps", "warmup_steps", "cooldown_steps", "learning_rate", "checkpoint_minutes", "compiled"}
"""Settings that may change when a training is resumed."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Length of a training phase and its learning rate: linear warm-up, constant, then linear decay to 0."""

    steps: int
    peak: float
    warmup_steps: int
    cooldown_steps: int = 0

    def learning_rate(self, step: int) -> float:
        """The learning rate at a step, counted from 0."""
        up = (step + 1) / max(1, self.warmup_steps)
        down = (self.steps - step) / max(1, self.cooldown_steps)
        return self.peak * min(1.0, up, down)


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Training settings; ``steps`` may be raised later to continue from the same checkpoints."""

    architecture: Architecture = field(default_factory=Architecture)
    vae_steps: int = 1500
    vae_learning_rate: float | None = None  # None: ``learning_rate``
    vae_cooldown_steps: int = 0
    steps: int = 3000
    cooldown_steps: int = 0  # number of final steps over which the learning rate falls linearly to 0
    batch_size: int = 64
    shards: int = 1  # parts of a batch, each processed on its own CPU core
    mixed_precision: bool = False  # use bfloat16 where the hardware multiplies it
    compiled: bool = False  # compile the U-Net if there is a C++ compiler: 1.6 times the images/s on a CPU
    alignment: float = 0.0  # weight of the alignment loss relative to the diffusion loss; 0 turns it off
    plain_captions: float = 0.0  # share of captions that name the class and nothing else
    learning_rate: float = 1e-3
    warmup_steps: int = 100
    weight_decay: float = 0.01
    max_gradient_norm: float = 1.0
    ema_decay: float = 0.998
    kl_weight: float = 1e-3  # weight of the KL divergence per latent value; pixel values are in -1 .. 1
    caption_dropout: float = 0.1  # share of empty captions, for classifier-free guidance
    min_snr_gamma: float = 5.0
    tokenizer_captions: int = 5000
    checkpoint_minutes: float = 1.0
    seed: int = 0

    def vae_schedule(self) -> Schedule:
        """The schedule of the VAE."""
        peak = self.vae_learning_rate or self.learning_rate
        return Schedule(self.vae_steps, peak, self.warmup_steps, self.vae_cooldown_steps)

    def schedule(self) -> Schedule:
        """The schedule of the text encoder and the U-Net."""
        return Schedule(self.steps, self.learning_rate, self.warmup_steps, self.cooldown_steps)


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Training images with their captions; every batch depends only on the seed, the phase, the step and the shard."""

    images: NDArray[np.uint8]
    captions_for: CaptionsFor
    augment: Augment | None  # None: images stay unchanged, so that their latents can be cached
    config: TrainingConfig
    base: str = ""  # revision of the model that the training starts from

    def fingerprint(self) -> str:
        """SHA-256 over the data and the settings, except for those that may change when a training is resumed."""
        settings = {name: value for name, value in asdict(self.config).items() if name not in FREE}
        return hashlib.sha256(
            repr(settings).encode() + self.base.encode() + self.images.tobytes()
        ).hexdigest()

    def rng(self, phase: str, step: int, shard: int = 0) -> np.random.Generator:
        """The random generator of one shard of one step."""
        return np.random.default_rng([self.config.seed, PHASES.index(phase), step, shard])

    @property
    def shard_size(self) -> int:
        """Images in one shard of a batch."""
        return self.config.batch_size // self.config.shards

    def draw(self, rng: np.random.Generator, count: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """``count`` augmented images (count, H, W, 3) and their indices (count,) in ``images``."""
        indices = rng.integers(len(self.images), size=count)
        if self.augment is None:
            return self.images[indices], indices
        return np.stack([self.augment(self.images[index], rng) for index in indices]), indices

    def captions(
        self, batch: NDArray[np.uint8], indices: NDArray[np.int64], rng: np.random.Generator
    ) -> list[str]:
        """One caption for each image of the batch."""
        return [
            self.captions_for(pixels, int(index), rng) for pixels, index in zip(batch, indices, strict=True)
        ]

    def sample_captions(self) -> list[str]:
        """The captions to which the tokenizer is fitted."""
        rng = self.rng("tokenizer", 0)
        return self.captions(*self.draw(rng, self.config.tokenizer_captions), rng)
