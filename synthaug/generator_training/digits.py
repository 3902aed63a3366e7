"""Training of the digits model on augmented digits, with captions measured from each augmented image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from synthaug.generator_training.config import TrainingConfig
from synthaug.generator_training.digit_captions import DIGIT_WORDS, digit_caption
from synthaug.generator_training.summary import TextToImageSummary
from synthaug.generator_training.text_to_image import ignore_progress, train
from synthaug.generators.base import ModelCard
from synthaug.progress import StepProgress
from synthaug.records import Pixels

MAX_ROTATION = 6.0  # degrees
MAX_SHEAR = 0.2  # tangent of the added slant
SCALE_RANGE = (0.94, 1.06)
MAX_SHIFT = 1.0  # pixels
MAX_LOG_GAMMA = 0.5  # |ln gamma|; below 1 widens the strokes, above 1 thins them


def augment_digit(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """A slightly sheared, rotated, scaled, shifted and thickened or thinned copy of an image, in the same shape."""
    angle = np.radians(rng.uniform(-MAX_ROTATION, MAX_ROTATION))
    lean = rng.uniform(-MAX_SHEAR, MAX_SHEAR)
    scale = rng.uniform(*SCALE_RANGE)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    inverse = np.array([[1.0, lean], [0.0, 1.0]]) @ turn / scale
    center = (np.array(pixels.shape[1::-1]) - 1) / 2
    offset = center - inverse @ center + rng.uniform(-MAX_SHIFT, MAX_SHIFT, size=2)
    matrix = (*inverse[0], offset[0], *inverse[1], offset[1])
    gamma = np.exp(rng.uniform(-MAX_LOG_GAMMA, MAX_LOG_GAMMA))
    gray = Image.fromarray(pixels[:, :, 0])
    moved = gray.transform(gray.size, Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)
    toned = np.rint(255 * (np.asarray(moved) / 255.0) ** gamma).astype(np.uint8)
    return np.repeat(toned[:, :, None], 3, axis=2)


def train_digits(
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    output: Path,
    checkpoints: Path,
    *,
    config: TrainingConfig | None = None,
    progress: StepProgress = ignore_progress,
) -> TextToImageSummary:
    """Train the digits model on ``images`` (N, 32, 32, 3) uint8 and write its folder; resumes from checkpoints."""

    def captions_for(pixels: Pixels, index: int, rng: np.random.Generator) -> str:
        return digit_caption(pixels, int(labels[index]), rng)

    card = ModelCard(
        name="digits",
        num_inference_steps=8,
        guidance_scale=2.5,
        batch_size=16,
        classes=DIGIT_WORDS,
        words=(
            *DIGIT_WORDS,
            *"0123456789",
            *("bold", "thin", "slanted left", "slanted right", "upright"),
            *("handwritten", "digit", "number", "photo", "drawing", "image"),
        ),
    )
    return train(
        images,
        captions_for,
        config or TrainingConfig(),
        output,
        checkpoints,
        progress=progress,
        augment=augment_digit,
        card=card,
    )
