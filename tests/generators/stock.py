"""The digits model as diffusers itself draws it: one image at a time."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import synthaug_assets
from diffusers import StableDiffusionPipeline

from synthaug.generators.base import ModelCard

DIGITS = Path(synthaug_assets.__file__).parent / "models" / "digits"


def one_by_one(folder: Path, steps: int, guidance: float) -> Path:
    """A copy of the model in ``folder`` with batches of one image, as diffusers' pipelines draw it."""
    shutil.copytree(DIGITS, folder)
    ModelCard(num_inference_steps=steps, guidance_scale=guidance, batch_size=1).write(folder)
    return folder


def stock_pipeline(folder: Path) -> Any:
    """The pipeline of diffusers for a model, which reports nothing."""
    pipeline = StableDiffusionPipeline.from_pretrained(
        folder, safety_checker=None, requires_safety_checker=False
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline
