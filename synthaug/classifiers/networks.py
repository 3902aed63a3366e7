"""The networks; each has a method ``features(x) -> (B, D)`` and a linear ``head``. Importing this imports torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from synthaug.classifiers.keypoints import KEYPOINTS, KeypointBody
from synthaug.errors import UnknownName, UserError


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


class ChannelDropout(nn.Module):
    """Drops whole channels of each image (Tompson et al. 2015), but only within :func:`dropping`.

    Unlike torch's, it draws from a given random generator and does not depend on ``network.training``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.rate = 0.0
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self.rate == 0:
            return x
        keep = 1 - self.rate
        mask = x.new_empty(x.shape[:2]).bernoulli_(keep, generator=self.generator) / keep
        return x * mask[:, :, None, None]


@contextmanager
def dropping(network: nn.Module, rate: float, generator: torch.Generator) -> Iterator[None]:
    """A context in which the network's body drops channels at ``rate``, drawn from ``generator`` on its device.

    It serves training and Monte Carlo dropout; for the latter, call ``network.eval()`` first, so that batch
    normalisation does not change. It also affects other threads that use the same network meanwhile.
    """
    layers = [each for each in network.modules() if isinstance(each, ChannelDropout)]
    for layer in layers:
        layer.rate, layer.generator = rate, generator
    try:
        yield
    finally:
        for layer in layers:
            layer.rate, layer.generator = 0.0, None


def _block(inputs: int, outputs: int) -> nn.Sequential:
    """3x3 convolution, max pool, batch normalisation, ReLU. Pooling first makes the last two four times cheaper."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
        ChannelDropout(),
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

    After Jordan, "94% on CIFAR-10 in 3.29 seconds" (2024): the first layer whitens patches of the training images and
    is not trained (see :func:`initialise`), and the logits are scaled down.
    """
    whitening = nn.Conv2d(3, 24, 2, bias=False).requires_grad_(False)
    stages = (_twice(24, 64), _twice(64, 256), _twice(256, 256))
    # Scaling the features to about unit size keeps the initial logits small.
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
    """Two 3x3 convolutions with batch normalisation and GELU; a max pool follows the first one."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.MaxPool2d(2),
        _shifting_norm(outputs),
        nn.GELU(),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
        _shifting_norm(outputs),
        nn.GELU(),
        ChannelDropout(),
    )


def _shifting_norm(channels: int) -> nn.BatchNorm2d:
    """Batch normalisation that learns its bias; its weight is fixed to 1."""
    norm = nn.BatchNorm2d(channels, momentum=0.4)
    norm.weight.requires_grad_(False)
    return norm


def whiten(layer: nn.Conv2d, images: Tensor) -> None:
    """Set a layer's filters to those that whiten the patches of ``images`` (N, C, H, W), and to their negatives."""
    channels, size = layer.in_channels, layer.kernel_size[0]
    patches = images.unfold(2, size, 1).unfold(3, size, 1).movedim(1, 3)  # (N, h, w, C, size, size), a view
    patches = patches.reshape(-1, channels * size * size)
    values, vectors = torch.linalg.eigh(torch.cov(patches.double().T))
    filters = (vectors / (values + 5e-4).sqrt()).T.flip(0)  # the direction of largest variance first
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
    for layer in (body.layer1, body.layer2, body.layer3, body.layer4):
        layer.append(ChannelDropout())
    return Network(body, 512, num_classes)


def efficientnet(size: str, num_classes: int) -> Network:
    """EfficientNet (Tan & Le 2019) of ``size`` "b0" to "b7", D = 1280 to 2560; for 224 to 600 pixels a side.

    It has no stochastic depth, which torchvision would draw from torch's global random generator.
    """
    import torchvision

    body = getattr(torchvision.models, f"efficientnet_{size}")(weights=None, stochastic_depth_prob=0.0)
    feature_size = body.classifier[-1].in_features
    body.classifier = nn.Identity()
    for stage in body.features[1:-1]:  # between the stem and the last, pointwise convolution
        stage.append(ChannelDropout())
    return Network(body, feature_size, num_classes)


def efficientnet_lite0(num_classes: int) -> Network:
    """EfficientNet-Lite0 (Tan & Le 2019), D = 1280; for 96 to 320 pixels a side."""
    from synthaug.backbones import efficientnet_lite0 as lite0

    return Network(_chain(lite0(pretrained=False)), 1280, num_classes)


def efficientnet_lite0_places(num_classes: int) -> Network:
    """EfficientNet-Lite0 with 32 features at each of 7 x 7 places: landmark models of versions before 0.5."""
    from synthaug.backbones import efficientnet_lite0 as lite0

    layers = list(_chain(lite0(pretrained=False)))[:-2]  # without pooling and flattening
    reduced = (nn.Conv2d(1280, 32, 1), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(7), nn.Flatten())
    return Network(nn.Sequential(*layers, *reduced), 32 * 7 * 7, num_classes)


def efficientnet_lite0_keypoints(num_classes: int) -> Network:
    """EfficientNet-Lite0 whose features are the positions of 32 learned points, D = 64; for 96 to 320 pixels a side."""
    from synthaug.backbones import efficientnet_lite0 as lite0

    layers = _chain(lite0(pretrained=False))[:-4]  # without the last convolution and what follows it
    strides = {4: 40, 6: 112, 8: 320}  # the last stages at strides of 8, 16 and 32 pixels, and their channels
    return Network(KeypointBody(layers, strides), 2 * KEYPOINTS, num_classes)


def _chain(network: Any) -> nn.Sequential:
    """timm's EfficientNet up to its features, as a sequence of layers."""
    stages = [nn.Sequential(*stage, ChannelDropout()) for stage in network.blocks]
    stem, last = (network.conv_stem, network.bn1), (network.conv_head, network.bn2)
    return nn.Sequential(*stem, *stages, *last, nn.AdaptiveAvgPool2d(1), nn.Flatten())


PRETRAINED = ("efficientnet_lite0", "efficientnet_lite0_places", "efficientnet_lite0_keypoints")
"""The networks for which there are ImageNet weights."""


def fill_pretrained(network: Network, name: str) -> None:
    """Load ImageNet weights into the body. Raises UserError for a network for which there are none."""
    if name not in PRETRAINED:
        raise UserError(f"there are no pretrained weights for the network {name!r}; use efficientnet_lite0")
    from synthaug.backbones import efficientnet_lite0 as lite0

    backbone = network.body.backbone if isinstance(network.body, KeypointBody) else network.body
    assert isinstance(backbone, nn.Sequential)  # noqa: S101 (for the type checker)
    weights = _chain(lite0())[: len(backbone)].state_dict()
    backbone.load_state_dict({**backbone.state_dict(), **weights})


NETWORKS: dict[str, Callable[[int], Network]] = {
    "small_cnn": small_cnn,
    "airbench": airbench,
    "resnet18": resnet18,
    "efficientnet_lite0": efficientnet_lite0,
    "efficientnet_lite0_places": efficientnet_lite0_places,
    "efficientnet_lite0_keypoints": efficientnet_lite0_keypoints,
    **{f"efficientnet_b{size}": partial(efficientnet, f"b{size}") for size in range(8)},
}


def build(name: str, num_classes: int) -> Network:
    """The network called ``name``, with random weights; see :func:`initialise`. Raises UnknownName."""
    if name not in NETWORKS:
        raise UnknownName("network", name, NETWORKS)
    return NETWORKS[name](num_classes)


def choose_device(device: str | None) -> torch.device:
    """The requested device; None: the GPU if there is one, else the CPU."""
    return torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))


def place(network: Network, device: torch.device) -> Network:
    """Move the network to ``device`` in the channels-last memory layout, in which convolutions are fastest."""
    return network.to(device).to(memory_format=torch.channels_last)


def initialise(network: nn.Module, generator: torch.Generator, images: Tensor) -> None:
    """Draw every weight from ``generator`` (He et al. 2015), so that other threads do not influence them.

    The filters of a convolution that is not trained whiten patches of ``images`` (N, 3, H, W), which are standardised.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and not module.weight.requires_grad:
            whiten(module, images)
        elif isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu", generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Linear):
            bound = 1 / math.sqrt(module.in_features)
            nn.init.uniform_(module.weight, -bound, bound, generator=generator)
            nn.init.uniform_(module.bias, -bound, bound, generator=generator)
