"""Images that a generator draws for the card of a model, and the sheet that shows a hundred of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from synthaug.generators.base import Generator
from synthaug.records import GenerationRequest


def draw(generator: Generator, prompts: Iterable[str], first_seed: int) -> NDArray[np.uint8]:
    """One image (N, H, W, 3) per prompt, with the seeds from ``first_seed`` on."""
    requests = [GenerationRequest(prompt, first_seed + i) for i, prompt in enumerate(prompts)]
    return np.stack([each.pixels for each in generator.generate(requests)])


def sheet(generator: Generator, ten_prompts: Iterable[str], path: Path, resampling: Image.Resampling) -> None:
    """Write a sheet with ten images of 32 px for each prompt, for the seeds 0 .. 99 in order, without selection."""
    images = draw(generator, [prompt for prompt in ten_prompts for _ in range(10)], 0)
    tiles = np.pad(
        images.reshape(10, 10, 32, 32, 3), ((0, 0), (0, 0), (1, 1), (1, 1), (0, 0)), constant_values=64
    )
    whole = tiles.transpose(0, 2, 1, 3, 4).reshape(340, 340, 3)
    Image.fromarray(whole).resize((1020, 1020), resampling).save(path, optimize=True)
    print(f"sheet: {path} (seeds 0 .. 99, not selected)")
