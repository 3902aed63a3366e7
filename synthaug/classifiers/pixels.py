"""Images as tensors: layout, antialiased resizing, standardisation and augmentation of whole batches."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from synthaug.backbones import DEVIATION, MEAN
from synthaug.classifiers.base import Images
from synthaug.classifiers.recipes import Recipe
from synthaug.errors import UserError
from synthaug.images import inside_square
from synthaug.records import Framing

_RESIZE_BATCH = 256
IMAGENET_MEAN, IMAGENET_STD = (MEAN / 255,) * 3, (DEVIATION / 255,) * 3
"""Mean and standard deviation of each channel, in 0..1, with which pretrained networks expect images standardised."""


def check_images(images: Images) -> None:
    """Raises UserError for images that are not (N, H, W, 3) of uint8 or uint16."""
    if images.ndim != 4 or images.shape[-1] != 3 or images.dtype not in (np.uint8, np.uint16):
        raise UserError(
            "images must be RGB of shape (N, H, W, 3) and dtype uint8 or uint16, "
            f"not {images.shape} {images.dtype}"
        )


def white(images: Tensor) -> int:
    """The value of white: 255 for uint8, 65535 for uint16."""
    return torch.iinfo(images.dtype).max


def batches(count: int, size: int) -> Iterator[slice]:
    """Slices of rows to predict at a time: 500 images of up to 64 pixels a side, or fewer larger ones."""
    batch = max(8, 500 * 64**2 // max(size, 64) ** 2)
    for start in range(0, count, batch):
        yield slice(start, start + batch)


def to_tensor(images: Images, size: int, framing: Framing = "squeezed") -> Tensor:
    """Convert (N, H, W, 3) to (N, 3, size, size) of the same dtype, resized with antialiasing if the size differs."""
    tensor = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2)
    height, width = tensor.shape[-2:]
    if (height, width) == (size, size) or not len(tensor):
        return tensor.contiguous()
    if framing == "squeezed" or height == width:
        return _resized(tensor, size, size)
    left, top, across, down = inside_square(width, height, size)
    return F.pad(_resized(tensor, down, across), (left, size - across - left, top, size - down - top))


def _resized(images: Tensor, height: int, width: int) -> Tensor:
    return torch.cat([_resize(batch, height, width) for batch in torch.split(images, _RESIZE_BATCH)])


def _resize(batch: Tensor, height: int, width: int) -> Tensor:
    resized = F.interpolate(batch.float(), size=(height, width), mode="bilinear", antialias=True)
    return resized.round().clamp(0, white(batch)).to(batch.dtype)


def channel_statistics(images: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (3,) of images (N, 3, H, W), in 0..1; the deviation is at least 1/255."""
    top = white(images)
    counts = torch.stack(
        [images[:, c].flatten().int().bincount(minlength=top + 1) for c in range(3)]
    ).double()
    levels = torch.arange(top + 1, dtype=torch.float64, device=images.device) / top
    total = counts.sum(1)
    mean = (counts * levels).sum(1) / total
    variance = (counts * (levels - mean[:, None]) ** 2).sum(1) / total
    return mean.float(), variance.sqrt().clamp_min(1 / 255).float()


def standardise(images: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Images (B, 3, H, W) as float32, standardised by ``mean`` and ``std`` (3,) in 0..1."""
    scale = 1 / (white(images) * std)
    shift = -mean / std
    floats = images.to(torch.float32, memory_format=torch.channels_last)
    return floats.mul_(scale.view(3, 1, 1)).add_(shift.view(3, 1, 1))


def augment(images: Tensor, recipe: Recipe, generator: torch.Generator) -> Tensor:
    """A batch (B, 3, H, W) with a random crop, flip and cutout of each image, as the recipe asks."""
    count, _, height, width = images.shape
    if recipe.crop_padding:
        p = recipe.crop_padding
        padded = _mirrored_border(images, p) if recipe.mirrored_border else F.pad(images, (p, p, p, p))
        crops = padded.unfold(2, height, 1).unfold(3, width, 1)  # (B, 3, 2p+1, 2p+1, H, W), a view
        dy, dx = torch.randint(2 * p + 1, (2, count), generator=generator, device=images.device)
        images = crops[torch.arange(count, device=images.device), :, dy, dx]
    if recipe.flip:
        flipped = torch.rand(count, generator=generator, device=images.device) < 0.5
        images = torch.where(flipped.view(-1, 1, 1, 1), images.flip(-1), images)
    return _cut_out(images, recipe.cutout, generator) if recipe.cutout else images


def _mirrored_border(images: Tensor, padding: int) -> Tensor:
    """Pad the last two dimensions by reflection; unlike torch's padding, this works for every dtype."""
    for dim in (2, 3):
        inner = torch.arange(images.shape[dim], device=images.device).view(1, 1, -1).float()
        index = F.pad(inner, (padding, padding), mode="reflect").flatten().long()
        images = images.index_select(dim, index)
    return images


def _cut_out(images: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """Cover a gray square at a random place of each image, possibly partly outside it (DeVries & Taylor 2017)."""
    count, _, height, width = images.shape
    inside = []
    for size in (height, width):
        center = torch.randint(size, (count, 1), generator=generator, device=images.device)
        inside.append((torch.arange(size, device=images.device) - center + side // 2).clamp(-1, side))
    rows, columns = ((each >= 0) & (each < side) for each in inside)
    covered = (rows[:, :, None] & columns[:, None, :])[:, None]
    return torch.where(covered, images.new_full((), white(images) // 2 + 1), images)
