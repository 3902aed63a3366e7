"""Train the embedded text-to-image model on the digits' training split."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from synthaug.errors import UserError
from synthaug.generators.digits import train_digits
from synthaug.generators.training_config import TrainingConfig
from synthaug.importers.digits import digits_arrays


def train_digits_generator(
    output: Path,
    checkpoints: Path,
    *,
    steps: int | None = None,
    seed: int = 0,
    progress: Callable[[str, int, int, float], None],
) -> dict[str, Any]:
    """Write a ``StableDiffusionPipeline`` folder trained on the 1,297 training digits; returns the run's figures.

    Goes on from ``checkpoints`` where an equal training was begun there. Raises UserError if ``output`` is taken.
    """
    if output.exists() and any(output.iterdir()):
        raise UserError(f"{output} is not empty; choose a new folder")
    if steps is not None and steps < 1:
        raise UserError(f"steps is {steps}; it must be at least 1")
    config = TrainingConfig(seed=seed)
    if steps is not None:
        config = replace(config, steps=steps)
    images, labels, is_test = digits_arrays()
    return train_digits(
        images[~is_test], labels[~is_test], output, checkpoints, config=config, progress=progress
    )
