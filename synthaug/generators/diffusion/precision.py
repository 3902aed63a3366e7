"""Computing in bfloat16 on a CPU, while the sampler keeps float32."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from diffusers import DiffusionPipeline


def run_in_bfloat16(pipeline: DiffusionPipeline) -> bool:
    """Have the U-Net and the decoder of the VAE compute in bfloat16; false if the pipeline has no U-Net.

    They take and return what they did before, so that the sampler, whose steps add up, keeps float32. On a CPU with
    matrix units for bfloat16 this halves the processor time; a pixel differs by less than one level on average.
    """
    denoiser = getattr(pipeline, "unet", None)
    if denoiser is None:
        return False
    _lower(denoiser)
    decoder = getattr(getattr(pipeline, "vae", None), "decoder", None)
    if decoder is not None:
        _lower(decoder)
    return True


def _lower(network: torch.nn.Module) -> None:
    import torch

    network.to(torch.bfloat16)
    network.register_forward_pre_hook(
        lambda _, given, named: (_cast(given, torch.bfloat16), _cast(named, torch.bfloat16)), with_kwargs=True
    )
    network.register_forward_hook(lambda _, given, made: _cast(made, torch.float32))


def _cast(value: Any, dtype: torch.dtype) -> Any:
    """The floating-point tensors in a value as ``dtype``; times, which have fewer than two axes, stay exact."""
    import torch

    if isinstance(value, torch.Tensor):
        return value.to(dtype) if value.is_floating_point() and value.ndim >= 2 else value
    if isinstance(value, tuple | list):
        return type(value)(_cast(each, dtype) for each in value)
    if isinstance(value, Mapping):
        return type(value)(**{str(name): _cast(each, dtype) for name, each in value.items()})
    return value
