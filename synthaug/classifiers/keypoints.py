"""A network body that locates: its features are where K learned heatmaps lie, not what an image shows.

After the spatial soft-argmax of Levine et al. (2016), "End-to-end training of deep visuomotor policies": if an image
moves, the features move with it, so that a linear head can place landmarks after a few dozen images.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CHANNELS, KEYPOINTS = 64, 32
"""Channels in which feature maps of different strides are added up, and the number of heatmaps."""


class KeypointBody(nn.Module):
    """Standardised images (B, 3, H, W) -> x and y of :data:`KEYPOINTS` learned points, (B, 2 * KEYPOINTS)."""

    def __init__(self, backbone: nn.Sequential, taps: dict[int, int]) -> None:
        """``taps``: the layers of the backbone whose maps are used, from fine to coarse, and their channels."""
        super().__init__()
        self.backbone = backbone
        self.taps = tuple(taps)
        self.laterals = nn.ModuleList(nn.Conv2d(channels, CHANNELS, 1) for channels in taps.values())
        self.joint = nn.Sequential(
            nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, bias=False),
            nn.BatchNorm2d(CHANNELS),
            nn.ReLU(inplace=True),
        )
        self.heatmaps = nn.Conv2d(CHANNELS, KEYPOINTS, 1)
        self.standardised = RunningStandardisation(2 * KEYPOINTS)

    def forward(self, x: Tensor) -> Tensor:
        features: Tensor = self.standardised(soft_argmax(self.heatmaps(self.joint(self._pyramid(x)))))
        return features

    def _pyramid(self, x: Tensor) -> Tensor:
        """The tapped maps, added from coarse to fine (Lin et al. 2017), at the resolution of the finest."""
        maps = []
        for number, layer in enumerate(self.backbone):
            x = layer(x)
            if number in self.taps:
                maps.append(x)
        joined: Tensor = self.laterals[-1](maps[-1])
        for lateral, finer in zip(reversed(self.laterals[:-1]), reversed(maps[:-1]), strict=True):
            joined = lateral(finer) + F.interpolate(joined, finer.shape[2:], mode="bilinear")
        return joined


def soft_argmax(heatmaps: Tensor) -> Tensor:
    """The mean position (B, 2K) under the softmax of each heatmap (B, K, H, W): x, y of the first, then the next.

    Positions are float32, -1..1 across the map; the centre of the image is 0.
    """
    count, maps, height, width = heatmaps.shape
    weights = heatmaps.float().flatten(2).softmax(2).view(count, maps, height, width)
    across, down = (_centres(size, heatmaps.device) for size in (width, height))
    columns, rows = (weights.sum(2) * across).sum(2), (weights.sum(3) * down).sum(2)
    return torch.stack([columns, rows], 2).flatten(1)


def _centres(size: int, device: torch.device) -> Tensor:
    """The positions of the centres of ``size`` cells that divide -1..1."""
    return (2 * torch.arange(size, device=device, dtype=torch.float32) + 1) / size - 1


class RunningStandardisation(nn.Module):
    """Subtracts a running mean and divides by a running standard deviation, in training as in prediction.

    Batch normalisation would subtract the mean of the batch, and with it the position that all its images share.
    """

    MOMENTUM = 0.1

    mean: Tensor
    variance: Tensor
    batches: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("variance", torch.ones(features))
        self.register_buffer("batches", torch.zeros((), dtype=torch.int64))

    def forward(self, x: Tensor) -> Tensor:
        if self.training and len(x) > 1:
            self._update(x.detach())
        return (x - self.mean) * (self.variance + 1e-5).rsqrt()

    @torch.no_grad()
    def _update(self, x: Tensor) -> None:
        self.batches += 1
        weight = max(self.MOMENTUM, 1 / int(self.batches))  # the first batches are averaged evenly
        self.mean.lerp_(x.mean(0), weight)
        self.variance.lerp_(x.var(0), weight)
