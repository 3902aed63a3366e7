"""Representation alignment (REPA, Yu et al. 2024): features of the U-Net's middle learn to match a classifier's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from synthaug.generator_training.checkpoints import kept_or_made

if TYPE_CHECKING:
    import torch

    FeatureMaps = Callable[[NDArray[np.uint8]], NDArray[np.float16]]
    """Feature maps (N, C, h, w) of images (N, H, W, 3)."""

HIDDEN = 512  # width of the projection
BATCH = 1000  # images whose feature maps are computed at a time


def predict(
    unet: Any, noisy: torch.Tensor, times: torch.Tensor, text: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The prediction of a ``UNet2DConditionModel`` (N, C, h, w) and the features of its middle block (N, D, h', w').

    This repeats the model's ``forward``, because hooks on the middle block cannot be compiled and are not thread-safe.
    """
    time = unet.time_embedding(unet.time_proj(times))
    pooled = unet.get_aug_embed(emb=time, encoder_hidden_states=text, added_cond_kwargs={})
    time = time if pooled is None else time + pooled
    x = unet.conv_in(noisy)
    skips = (x,)
    for block in unet.down_blocks:
        x, passed = block(x, time, **_text(block, text))
        skips += passed
    middle = x = unet.mid_block(x, time, **_text(unet.mid_block, text))
    for block in unet.up_blocks:
        count = len(block.resnets)
        x = block(x, skips[-count:], time, **_text(block, text))
        skips = skips[:-count]
    return unet.conv_out(unet.conv_act(unet.conv_norm_out(x))), middle


def _text(block: Any, text: torch.Tensor) -> dict[str, torch.Tensor]:
    """The text embeddings as an argument for a block with cross-attention; nothing for others."""
    return {"encoder_hidden_states": text} if getattr(block, "has_cross_attention", False) else {}


def make_projection(middle_channels: int, map_channels: int) -> Any:
    """A network from the U-Net's features (channels last) to those of the maps; discarded after training."""
    from torch import nn

    return nn.Sequential(nn.Linear(middle_channels, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, map_channels))


def misalignment(projection: Any, middle: torch.Tensor, maps: torch.Tensor) -> torch.Tensor:
    """Mean of 1 - cosine similarity of projected ``middle`` (N, D, h, w) and ``maps`` (N, C, ..) at the same size."""
    import torch.nn.functional as functional

    resized = functional.interpolate(maps, size=middle.shape[2:], mode="bilinear", align_corners=True)
    projected = projection(middle.permute(0, 2, 3, 1)).float()
    return (1 - functional.cosine_similarity(projected, resized.permute(0, 2, 3, 1), dim=-1)).mean()


def kept_maps(images: NDArray[np.uint8], maps_of: FeatureMaps, path: Path, fingerprint: str) -> torch.Tensor:
    """Feature maps (N, C, h, w) float16 of all images, cached at ``path`` for trainings with the same fingerprint."""
    import torch

    def made() -> torch.Tensor:
        parts = [maps_of(images[start : start + BATCH]) for start in range(0, len(images), BATCH)]
        return torch.from_numpy(np.concatenate(parts))

    return kept_or_made(path, fingerprint, made)
