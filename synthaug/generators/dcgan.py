"""The networks of the DCGAN baseline (Radford et al. 2016), with the sizes of the active-learning paper."""

from __future__ import annotations

import itertools

import torch
from torch import nn

LATENT = 100
"""Number of channels of the noise vector."""


class Generator(nn.Module):
    """Maps noise (B, LATENT, 1, 1) to images (B, 3, 64, 64) in -1 .. 1; 1024-512-256-128 channels at ``width`` 128."""

    def __init__(self, width: int = 128) -> None:
        super().__init__()
        channels = [8 * width, 4 * width, 2 * width, width]
        layers: list[nn.Module] = [
            nn.ConvTranspose2d(LATENT, channels[0], 4, bias=False),
            nn.BatchNorm2d(channels[0]),
            nn.ReLU(inplace=True),
        ]
        for inputs, outputs in itertools.pairwise(channels):
            layers += [
                nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(inplace=True),
            ]
        layers += [nn.ConvTranspose2d(channels[-1], 3, 4, stride=2, padding=1), nn.Tanh()]
        self.layers = nn.Sequential(*layers)

    def forward(self, noise: torch.Tensor) -> torch.Tensor:
        images: torch.Tensor = self.layers(noise)
        return images


class Discriminator(nn.Module):
    """Maps images (B, 3, 64, 64) to logits (B,), higher = more real; 128-256-512-1024 channels at ``width`` 128.

    The paper's text has batch normalisation in every block. Here the first block has none, as in Radford et al. and
    in the code that the paper builds on: real and generated images come in separate batches, so that normalising
    the input would hide a difference in colour.
    """

    def __init__(self, width: int = 128) -> None:
        super().__init__()
        channels = [width, 2 * width, 4 * width, 8 * width]
        layers: list[nn.Module] = [nn.Conv2d(3, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        for inputs, outputs in itertools.pairwise(channels):
            layers += [
                nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(outputs),
                nn.LeakyReLU(0.2),
            ]
        layers += [nn.Conv2d(channels[-1], 1, 4), nn.Flatten(0)]
        self.layers = nn.Sequential(*layers)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.layers(images)
        return logits


def initialise(network: nn.Module) -> None:
    """Draw weights from N(0, 0.02), and those of batch normalisation from N(1, 0.02) (Radford et al. 2016)."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.zeros_(module.bias)
