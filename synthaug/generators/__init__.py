"""Image generators: ``load_generator`` by name, by path or by hub id."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synthaug.generators.base import Generator


def load_generator(
    name: str | Path,
    *,
    num_inference_steps: int | None = None,
    guidance_scale: float | None = None,
    batch_size: int | None = None,
    output_size: tuple[int, int] | None = None,
    device: str | None = None,
) -> Generator:
    """The generator ``name``: "embedded" (or "digits"), a diffusers folder's path, or a hub id ``owner/model``.

    What is left out comes from the model's ``synthaug.json``, else from the pipeline's own defaults.
    ``batch_size`` is for accelerators: a CPU keeps to the model's own, because the shape of a batch decides the
    last bit of a pixel. ``output_size`` (width, height) is the most to deliver: what is drawn larger is
    downsampled, antialiased, and its shape kept.
    """
    from synthaug.generators.diffusion import DiffusionGenerator

    return DiffusionGenerator(
        name,
        num_inference_steps=num_inference_steps,
        guidance_scale=guidance_scale,
        batch_size=batch_size,
        output_size=output_size,
        device=device,
    )
