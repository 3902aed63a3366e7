"""The networks: each has ``features(x) -> (B, D)`` and a linear ``head``. Import on use: needs torch."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from synthaug.errors import UnknownName


class Network(nn.Module):
    """A body that ends in a feature vector (B, D), and a linear head on it, D -> K."""

    def __init__(self, body: nn.Module, feature_size: int, num_classes: int) -> None:
        super().__init__()
        self.body = body
        self.head = nn.Linear(feature_size, num_classes)

    def features(self, x: Tensor) -> Tensor:
        """Standardised images (B, 3, H, W) -> penultimate features (B, D)."""
        features: Tensor = self.body(x)
        return features

    def forward(self, x: Tensor) -> Tensor:
        """Standardised images (B, 3, H, W) -> logits (B, K)."""
        logits: Tensor = self.head(self.features(x))
        return logits


def _block(inputs: int, outputs: int) -> nn.Sequential:
    """3x3 convolution, pool, BN, ReLU. Pooling first makes the BN and ReLU four times cheaper."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def small_cnn(num_classes: int) -> Network:
    """Four convolutions, 32-64-128-128, D = 128, about 240,000 parameters; for 16 to 64 pixels a side."""
    body = nn.Sequential(
        _block(3, 32),
        _block(32, 64),
        _block(64, 128),
        nn.Conv2d(128, 128, 3, padding=1, bias=False),
        nn.BatchNorm2d(128),
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )
    return Network(body, 128, num_classes)


def airbench(num_classes: int) -> Network:
    """Seven convolutions, 24-64-256-256, D = 256, about 2 million parameters; for 32 pixels a side.

    After Jordan, "94% on CIFAR-10 in 3.29 seconds" (2024): the first layer whitens patches of the training
    images and is not trained (``initialise``); the logits are scaled down.
    """
    whitening = nn.Conv2d(3, 24, 2, bias=False).requires_grad_(False)
    stages = (_twice(24, 64), _twice(64, 256), _twice(256, 256))
    # Features of about unit size, whatever the width of the head, keep the first logits small.
    body = nn.Sequential(whitening, nn.GELU(), *stages, nn.AdaptiveMaxPool2d(1), nn.Flatten(), _Scale(1 / 9))
    return Network(body, 256, num_classes)


class _Scale(nn.Module):
    """Multiplies by a constant."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor


def _twice(inputs: int, outputs: int) -> nn.Sequential:
    """Two 3x3 convolutions with BN and GELU, the first followed by a pool."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.MaxPool2d(2),
        _shifting_norm(outputs),
        nn.GELU(),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
        _shifting_norm(outputs),
        nn.GELU(),
    )


def _shifting_norm(channels: int) -> nn.BatchNorm2d:
    """Batch normalisation that learns where its outputs lie, not how far they spread."""
    norm = nn.BatchNorm2d(channels, momentum=0.4)
    norm.weight.requires_grad_(False)
    return norm


def whiten(layer: nn.Conv2d, images: Tensor) -> None:
    """Set a layer's filters to the whitening of its patches of ``images`` (N, C, H, W), each also negated."""
    channels, size = layer.in_channels, layer.kernel_size[0]
    patches = images.unfold(2, size, 1).unfold(3, size, 1).movedim(1, 3)  # (N, h, w, C, size, size), a view
    patches = patches.reshape(-1, channels * size * size)
    values, vectors = torch.linalg.eigh(torch.cov(patches.double().T))
    filters = (vectors / (values + 5e-4).sqrt()).T.flip(0)  # the widest direction first
    both = torch.cat([filters, -filters]).reshape(-1, channels, size, size)
    with torch.no_grad():
        layer.weight.copy_(both)


def resnet18(num_classes: int) -> Network:
    """ResNet-18 (He et al. 2016) in the CIFAR form: 3x3 stride-1 stem, no max pool; D = 512."""
    import torchvision

    body = torchvision.models.resnet18(weights=None)
    body.conv1 = nn.Conv2d(3, 64, 3, stride=1, padding=1, bias=False)
    body.maxpool = nn.Identity()
    body.fc = nn.Identity()
    return Network(body, 512, num_classes)


NETWORKS: dict[str, Callable[[int], Network]] = {
    "small_cnn": small_cnn,
    "airbench": airbench,
    "resnet18": resnet18,
}


def build(name: str, num_classes: int) -> Network:
    """The network of that name, with whatever weights torch draws; see ``initialise``."""
    if name not in NETWORKS:
        raise UnknownName("network", name, NETWORKS)
    return NETWORKS[name](num_classes)


def choose_device(device: str | None) -> torch.device:
    """The device asked for; without one, the GPU where there is one."""
    return torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))


def place(network: Network, device: torch.device) -> Network:
    """Move to the device, with the channels-last layout that convolutions run fastest in."""
    return network.to(device).to(memory_format=torch.channels_last)


def initialise(network: Network, generator: torch.Generator, images: Tensor) -> None:
    """Draw every weight from ``generator`` (He et al. 2015), so that no other thread's draws matter.

    A layer that is not to be trained whitens ``images`` (N, 3, H, W), which are standardised.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and not module.weight.requires_grad:
            whiten(module, images)
        elif isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu", generator=generator)
        elif isinstance(module, nn.Linear):
            bound = 1 / math.sqrt(module.in_features)
            nn.init.uniform_(module.weight, -bound, bound, generator=generator)
            nn.init.uniform_(module.bias, -bound, bound, generator=generator)
