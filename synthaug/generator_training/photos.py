"""Training of the embedded model on small photographs with measured captions, and on digits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from synthaug.generator_training.config import CaptionsFor, TrainingConfig
from synthaug.generator_training.digit_captions import digit_caption
from synthaug.generator_training.digits import augment_digit
from synthaug.generator_training.networks import Architecture
from synthaug.generator_training.photo_captions import (
    COLOURS,
    SYNONYMS,
    TONES,
    Fillers,
    look,
    photo_caption,
    plain_caption,
)
from synthaug.generator_training.summary import TextToImageSummary
from synthaug.generator_training.text_to_image import ignore_progress, train
from synthaug.generators.base import ModelCard
from synthaug.progress import StepProgress
from synthaug.records import Pixels

if TYPE_CHECKING:
    from synthaug.generator_training.alignment import FeatureMaps

DIGIT_COPIES = 4  # augmented copies of every digit, which make up about a twentieth of the images

ARCHITECTURE = Architecture(
    vae_channels=(32, 64),
    unet_channels=(64, 160, 192),
    unet_attention=(False, False, True),
    attention_heads=4,
    norm_groups=32,
    text_in_every_block=True,
    text_width=128,
    max_tokens=32,
    vocabulary_size=1400,
)
CONFIG = TrainingConfig(
    architecture=ARCHITECTURE,
    vae_steps=700,
    vae_learning_rate=2e-3,
    vae_cooldown_steps=250,
    steps=3_270,
    cooldown_steps=800,
    batch_size=128,
    shards=2,
    mixed_precision=True,
    learning_rate=8e-4,
    warmup_steps=200,
    ema_decay=0.999,
    kl_weight=3e-4,
    checkpoint_minutes=2.0,
)

FURTHER = replace(
    CONFIG,
    steps=12_000,
    cooldown_steps=1_500,
    batch_size=256,
    compiled=True,
    alignment=0.5,
    plain_captions=0.4,
    learning_rate=5e-4,
    warmup_steps=100,
    ema_decay=0.998,
    checkpoint_minutes=3.0,
)
"""Settings for the further training of a model trained with ``CONFIG``: three million images."""


@dataclass(frozen=True, slots=True)
class LabeledImages:
    """Images (N, 32, 32, 3) uint8 and their class indices (N,)."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]


def train_photos(
    photos: LabeledImages,
    digits: LabeledImages,
    classes: Sequence[str],
    fillers: Fillers,
    output: Path,
    checkpoints: Path,
    *,
    config: TrainingConfig = CONFIG,
    progress: StepProgress = ignore_progress,
    trained_on: str = "",
    base: Path | None = None,
    maps_of: FeatureMaps | None = None,
) -> TextToImageSummary:
    """Train on photographs of ``classes``, each also mirrored, and on digits, which are not; returns a summary.

    For ``base`` and ``maps_of`` see :func:`synthaug.generator_training.text_to_image.train`.
    """
    copies = np.repeat(np.arange(len(digits.images)), DIGIT_COPIES)
    rng = np.random.default_rng(config.seed)
    drawn = [augment_digit(digits.images[index], rng) for index in copies]
    images = np.concatenate([photos.images, photos.images[:, :, ::-1], np.reshape(drawn, (-1, 32, 32, 3))])
    return train(
        images,
        _captions(photos, digits.labels[copies], classes, fillers, config.plain_captions),
        config,
        output,
        checkpoints,
        progress=progress,
        card=_card(classes, trained_on),
        base=base,
        maps_of=maps_of,
    )


def _captions(
    photos: LabeledImages,
    digit_labels: NDArray[np.int64],
    classes: Sequence[str],
    fillers: Fillers,
    plain: float,
) -> CaptionsFor:
    """A function that captions the photographs, their mirror images and then the digits; ``plain`` is a share."""
    looks = [look(each) for each in photos.images]
    count = len(photos.images)

    def captions_for(pixels: Pixels, index: int, rng: np.random.Generator) -> str:
        if index >= 2 * count:
            return digit_caption(pixels, int(digit_labels[index - 2 * count]), rng)
        if plain and rng.random() < plain:
            return plain_caption(classes[photos.labels[index % count]], rng)
        return photo_caption(classes[photos.labels[index % count]], looks[index % count], rng, fillers)

    return captions_for


def _card(classes: Sequence[str], trained_on: str) -> ModelCard:
    synonyms = {word for each in classes for word in SYNONYMS.get(each, ())} - set(classes)
    return ModelCard(
        name="embedded",
        num_inference_steps=10,
        guidance_scale=5.0,
        batch_size=16,
        classes=tuple(classes),  # not the digits, of which it sees too few to generate them well
        words=(
            *sorted(synonyms),
            *TONES,
            *COLOURS,
            *(f"on a {colour} background" for colour in COLOURS),
            *("photo", "image"),
        ),
        trained_on=trained_on,
    )
