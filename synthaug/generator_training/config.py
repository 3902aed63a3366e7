"""How a small Stable Diffusion is trained, and the batches it sees."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

import numpy as np
from numpy.typing import NDArray

from synthaug.generator_training.networks import Architecture
from synthaug.records import Pixels

CaptionsFor = Callable[[Pixels, int, np.random.Generator], str]
"""The caption of an (augmented) image, given its index in ``images``."""
Augment = Callable[[Pixels, np.random.Generator], Pixels]

PHASES = ("tokenizer", "vae", "diffusion")
FREE = {"steps", "warmup_steps", "cooldown_steps", "learning_rate", "checkpoint_minutes", "compiled"}
"""Settings that may change between two sittings of a training."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long a phase is, and its learning rate: up, level, and down to 0."""

    steps: int
    peak: float
    warmup_steps: int
    cooldown_steps: int = 0

    def learning_rate(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        up = (step + 1) / max(1, self.warmup_steps)
        down = (self.steps - step) / max(1, self.cooldown_steps)
        return self.peak * min(1.0, up, down)


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """How a model is trained; ``steps`` may be raised later to train on from the same checkpoints."""

    architecture: Architecture = field(default_factory=Architecture)
    vae_steps: int = 1500
    vae_learning_rate: float | None = None  # None: ``learning_rate``
    vae_cooldown_steps: int = 0
    steps: int = 3000
    cooldown_steps: int = 0  # the learning rate falls linearly to 0 over the last of ``steps``
    batch_size: int = 64
    shards: int = 1  # parts of a batch, each on a CPU core of its own
    mixed_precision: bool = False  # products in bfloat16, where the device has units for them
    compiled: bool = (
        False  # the U-Net compiled (1.6 times the images/s on a CPU), where a C++ compiler is there
    )
    alignment: float = (
        0.0  # what misaligned features of the U-Net's middle count beside the noise; 0: not at all
    )
    plain_captions: float = 0.0  # share of captions that say the class and nothing else
    learning_rate: float = 1e-3
    warmup_steps: int = 100
    weight_decay: float = 0.01
    max_gradient_norm: float = 1.0
    ema_decay: float = 0.998
    kl_weight: float = 1e-3  # KL per latent value against mean absolute error per pixel value in -1 .. 1
    caption_dropout: float = 0.1  # share of empty captions, for classifier-free guidance
    min_snr_gamma: float = 5.0
    tokenizer_captions: int = 5000
    checkpoint_minutes: float = 1.0
    seed: int = 0

    def vae_schedule(self) -> Schedule:
        """How the VAE is trained."""
        peak = self.vae_learning_rate or self.learning_rate
        return Schedule(self.vae_steps, peak, self.warmup_steps, self.vae_cooldown_steps)

    def schedule(self) -> Schedule:
        """How text encoder and U-Net are trained."""
        return Schedule(self.steps, self.learning_rate, self.warmup_steps, self.cooldown_steps)


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Augmented batches, each a pure function of the seed, the phase and the step."""

    images: NDArray[np.uint8]
    captions_for: CaptionsFor
    augment: Augment | None  # None: images are used as they are, so what is computed of them can be kept
    config: TrainingConfig
    base: str = ""  # revision of the model whose weights the training begins with

    def fingerprint(self) -> str:
        """Identifies data and settings; settings that may change on the way are left out."""
        settings = {name: value for name, value in asdict(self.config).items() if name not in FREE}
        return hashlib.sha256(
            repr(settings).encode() + self.base.encode() + self.images.tobytes()
        ).hexdigest()

    def rng(self, phase: str, step: int, shard: int = 0) -> np.random.Generator:
        """The source of all that is random in one shard of one step."""
        return np.random.default_rng([self.config.seed, PHASES.index(phase), step, shard])

    @property
    def shard_size(self) -> int:
        """Images in one part of a batch."""
        return self.config.batch_size // self.config.shards

    def draw(self, rng: np.random.Generator, count: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """``count`` augmented images and which of ``images`` each comes from."""
        indices = rng.integers(len(self.images), size=count)
        if self.augment is None:
            return self.images[indices], indices
        return np.stack([self.augment(self.images[index], rng) for index in indices]), indices

    def captions(
        self, batch: NDArray[np.uint8], indices: NDArray[np.int64], rng: np.random.Generator
    ) -> list[str]:
        """One caption an image of the batch."""
        return [
            self.captions_for(pixels, int(index), rng) for pixels, index in zip(batch, indices, strict=True)
        ]

    def sample_captions(self) -> list[str]:
        """What the tokenizer learns its merges from."""
        rng = self.rng("tokenizer", 0)
        return self.captions(*self.draw(rng, self.config.tokenizer_captions), rng)
