"""Image generators: ``load_generator`` by name, by path or by hub id."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthaug.errors import UserError
from synthaug.hardware import CPUFormat

if TYPE_CHECKING:
    from synthaug.generators.base import Generator, Interval

FAMILIES = {
    "diffusion": "synthaug.generators.diffusion.generator:DiffusionGenerator",
    "ddpm": "synthaug.generators.ddpm:DDPMGenerator",
    "gan": "synthaug.generators.gan:GANGenerator",
    "context": "synthaug.generators.compositing.context:ContextGenerator",
    "augmentation": "synthaug.generators.augmentation:AugmentationGenerator",
}
"""Classes take ``(name, *, num_inference_steps, guidance_scale, batch_size, output_size, device)``."""

CONTEXT_PREFIX = "context:"


def load_generator(
    name: str | Path,
    *,
    num_inference_steps: int | None = None,
    guidance_scale: float | None = None,
    guidance_interval: Interval | None = None,
    batch_size: int | None = None,
    output_size: tuple[int, int] | None = None,
    device: str | None = None,
    compile: bool = False,
    cpu_format: CPUFormat = "float32",
) -> Generator:
    """Load the generator ``name``: "embedded" (or another of ``folders.SHIPPED``), the path of a folder, or a hub id.

    "augmentation" distorts real images and needs no model. "context:NAME" places real subjects on backgrounds that
    the generator NAME draws.

    Options left out come from the model's ``synthaug.json``, or else from the defaults of its pipeline.
    ``batch_size`` applies to accelerators only: on a CPU the model's own batch size is always used, because the shape
    of a batch can change the last bit of a pixel. ``output_size`` (width, height) is the largest size to deliver:
    larger images are downsampled with antialiasing and keep their aspect ratio. ``compile`` compiles the denoiser
    before its first step, which takes about a minute and pays off on a GPU with many images.
    ``guidance_interval`` are the shares of the steps, 0..1, between which a Stable Diffusion is guided: the other steps
    take half the time, and varied images keep more of their variety (see :mod:`.diffusion.guided_steps`).
    ``cpu_format`` "bfloat16" makes a diffusion model on a CPU with matrix units twice as fast; its pixels differ by
    less than one level on average. Raises UserError for an unknown name, a model that cannot be loaded, or an option
    that its family does not have.
    """
    from synthaug.generators.folders import family_of

    family = "context" if str(name).startswith(CONTEXT_PREFIX) else family_of(name)
    if family not in FAMILIES:
        raise UserError(
            f"{name} belongs to the unknown family {family!r}; the families are {', '.join(FAMILIES)}"
        )
    if compile and family != "diffusion":
        raise UserError(
            f"{name} belongs to the family {family!r}; only generators of the family 'diffusion' can be compiled"
        )
    options: dict[str, Any] = {"compile": True} if compile else {}
    if family in ("diffusion", "context"):
        options |= {"cpu_format": cpu_format, "guidance_interval": guidance_interval}
    elif guidance_interval is not None:
        raise UserError(
            f"{name} belongs to the family {family!r}; only generators of the family 'diffusion' take a guidance "
            "interval"
        )
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
