"""Feature maps of a trained classifier, before the global pooling."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from synthaug.classifiers.base import Images
from synthaug.classifiers.fitted import Fitted
from synthaug.classifiers.pixels import batches, check_images, standardise, to_tensor
from synthaug.errors import UserError
from synthaug.hardware import mixed_precision

POOLS = (nn.AdaptiveMaxPool2d, nn.AdaptiveAvgPool2d)


@torch.inference_mode()
def feature_maps(classifier: Fitted, images: Images) -> NDArray[np.float16]:
    """Feature maps (N, C, h, w) float16 of images (N, H, W, 3) uint8, without averaging over the mirror image.

    Raises UserError for a network that is not a sequence of layers with a global pooling among them.
    """
    check_images(images)
    body, size = _before_pooling(classifier), classifier.recipe.image_size
    device = classifier.network.head.weight.device
    mean, std = (torch.tensor(each, device=device) for each in (classifier.mean, classifier.std))
    found = []
    for rows in batches(len(images), size):
        batch = to_tensor(images[rows], size, classifier.recipe.framing).to(device)
        with mixed_precision(device, wanted=classifier.recipe.mixed_precision):
            found.append(body(standardise(batch, mean, std)).half().cpu().numpy())
    return np.concatenate(found)


def _before_pooling(classifier: Fitted) -> nn.Sequential:
    body = classifier.network.body
    layers = list(body) if isinstance(body, nn.Sequential) else []
    for index, layer in enumerate(layers):
        if isinstance(layer, POOLS):
            return nn.Sequential(*layers[:index])
    raise UserError(
        f"the network {classifier.recipe.network!r} has no global pooling layer, before which feature maps are taken; "
        "use airbench"
    )
