"""What the training of a generator reports when it ends, ready for JSON."""

from __future__ import annotations

from typing import TypedDict

from synthaug.parsing import JsonObject


class TrainingSummary(TypedDict):
    """Common to all families. ``seconds`` is the time of this process alone; losses are None if no step was left."""

    output: str  # the model's folder
    images: int  # the number of training images
    seconds: float
    config: JsonObject  # the training's settings, which differ between families


class DiffusionSummary(TrainingSummary):
    """A DDPM."""

    loss: float | None  # of the last step
    parameters: int


class TextToImageSummary(DiffusionSummary):
    """A text-to-image model with its autoencoder."""

    vae_loss: float | None


class GANSummary(TrainingSummary):
    """A GAN."""

    generator_loss: float | None
    discriminator_loss: float | None


class FinetuningSummary(TypedDict):
    """A fine-tuned model."""

    images: int
    steps: int
    seconds: float
    loss: float | None
    trained_parameters: int
    precision: str  # "no", "fp16" or "bf16"
    config: JsonObject  # the settings of the fine-tuning
