"""Image generators: ``load_generator`` by name, by path or by hub id."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from synthaug.errors import UserError

if TYPE_CHECKING:
    from synthaug.generators.base import Generator

FAMILIES = {
    "diffusion": "synthaug.generators.diffusion.generator:DiffusionGenerator",
    "ddpm": "synthaug.generators.ddpm:DDPMGenerator",
    "gan": "synthaug.generators.gan:GANGenerator",
    "context": "synthaug.generators.compositing.context:ContextGenerator",
    "augmentation": "synthaug.generators.augmentation:AugmentationGenerator",
}
"""Every class takes ``(name, *, num_inference_steps, guidance_scale, batch_size, output_size, device)``."""

CONTEXT_PREFIX = "context:"


def load_generator(
    name: str | Path,
    *,
    num_inference_steps: int | None = None,
    guidance_scale: float | None = None,
    batch_size: int | None = None,
    output_size: tuple[int, int] | None = None,
    device: str | None = None,
    compile: bool = False,
) -> Generator:
    """The generator ``name``: "embedded" (or another of ``folders.SHIPPED``), a folder's path, or a hub id.

    ``augmentation`` distorts real images and needs no model. ``context:NAME`` places real subjects on backgrounds
    that the generator ``NAME`` draws.
    What is left out comes from the model's ``synthaug.json``, else from the pipeline's own defaults.
    ``batch_size`` is for accelerators: a CPU keeps to the model's own, because the shape of a batch decides the
    last bit of a pixel. ``output_size`` (width, height) is the most to deliver: what is drawn larger is
    downsampled, antialiased, and its shape kept. ``compile`` makes code for the denoiser before its first step: a
    minute spent, for a GPU and many images.
    """
    from synthaug.generators.folders import family_of

    family = "context" if str(name).startswith(CONTEXT_PREFIX) else family_of(name)
    if family not in FAMILIES:
        raise UserError(f"{name} is of the family {family!r}; known are {', '.join(FAMILIES)}")
    if compile and family != "diffusion":
        raise UserError(
            f"{name} is of the family {family!r}; only generators of the family 'diffusion' are compiled"
        )
    options = {"compile": True} if compile else {}
    module, _, attribute = FAMILIES[family].partition(":")
    generator: Generator = getattr(import_module(module), attribute)(
        name,
        num_inference_steps=num_inference_steps,
        guidance_scale=guidance_scale,
        batch_size=batch_size,
        output_size=output_size,
        device=device,
        **options,
    )
    return generator
