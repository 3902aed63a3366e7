"""Networks of timm as feature extractors: EfficientNet-Lite0 from a package, any other from the hub."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from synthaug.backbones import DEVIATION, MEAN, input_size, timm_network
from synthaug.backbones import efficientnet_lite0 as lite0_network
from synthaug.features.base import Features, Images
from synthaug.records import Framing

TYPES = (np.uint8, np.uint16)
BATCH_PIXELS = 2**21  # pixels per batch: 80 images of 160 px a side


class TimmExtractor:
    """A network of timm without its last layer, which computes pooled features."""

    def __init__(
        self,
        name: str,
        network: nn.Module,
        image_size: int,
        mean: tuple[float, ...],
        std: tuple[float, ...],
        framing: Framing,
    ) -> None:
        self.name = name
        self.image_size = image_size
        self.framing = framing
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._network: Any = (
            network.eval().requires_grad_(False).to(device).to(memory_format=torch.channels_last)
        )
        self._mean, self._std = (torch.tensor(each, device=device).view(1, 3, 1, 1) for each in (mean, std))

    @property
    def dimension(self) -> int:
        """The length of a feature vector, D."""
        return int(self._network.num_features)

    @cached_property
    def revision(self) -> str:
        """SHA-256 (hex) over weights, standardisation and input size, and over the framing unless it is "squeezed"."""
        digest = hashlib.sha256(repr((self.image_size, self._mean.tolist(), self._std.tolist())).encode())
        if self.framing != "squeezed":  # else the revisions of earlier releases would change
            digest.update(self.framing.encode())
        for name, tensor in sorted(self._network.state_dict().items()):
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            digest.update(tensor.cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

    @torch.inference_mode()
    def features(self, images: Images) -> Features:
        """Features (N, D) float32 of images (N, S, S, 3). Raises ValueError for another shape or dtype."""
        size = self.image_size
        if images.dtype not in TYPES or images.ndim != 4 or images.shape[1:] != (size, size, 3):
            raise ValueError(
                f"images must be uint8 or uint16 of shape (N, {size}, {size}, 3), not {images.dtype} of {images.shape}"
            )
        found = np.empty((len(images), self.dimension), np.float32)
        step = max(1, BATCH_PIXELS // size**2)
        for start in range(0, len(images), step):
            batch = torch.from_numpy(images[start : start + step]).to(self._mean.device)
            found[start : start + step] = self._forward(batch).float().cpu().numpy()
        return found

    def _forward(self, batch: Tensor) -> Tensor:
        """Pooled features (B, D) of images (B, S, S, 3), uint8 or uint16."""
        levels = batch.permute(0, 3, 1, 2).float()
        if batch.dtype == torch.uint16:
            levels = levels / 257  # 65535 is as white as 255
        x = (levels - self._mean) / self._std
        pooled: Tensor = self._network.forward_head(self._network.forward_features(x), pre_logits=True)
        return pooled


def efficientnet_lite0(longest_side: int, framing: Framing = "squeezed") -> TimmExtractor:
    """EfficientNet-Lite0 with ImageNet weights, at the input size that suits images of ``longest_side`` pixels."""
    network = lite0_network()
    size = input_size(longest_side)
    return TimmExtractor("efficientnet-lite0", network, size, (MEAN,) * 3, (DEVIATION,) * 3, framing)


def from_hub(name: str, framing: Framing = "squeezed") -> TimmExtractor:
    """``timm:NAME`` with the weights of the hub, at its own input size."""
    network = timm_network(name.partition(":")[2], pretrained=True)
    config = network.pretrained_cfg
    mean, std = (tuple(255 * each for each in config[key]) for key in ("mean", "std"))
    return TimmExtractor(name, network, int(config["input_size"][-1]), mean, std, framing)
