"""Monte Carlo dropout (Gal & Ghahramani 2016): T predictions with active dropout, for acquisition functions.

Dropout before the head alone needs the body's features only once. All images of the pool share the mask of a pass over
the D features, so that a pass is a head without some of its columns, and all T passes are one matrix product.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from synthaug.classifiers.base import Floats, Images
from synthaug.classifiers.fitted import FittedClassifier, penultimate
from synthaug.classifiers.networks import dropping
from synthaug.classifiers.pixels import check_images, standardise, to_tensor
from synthaug.errors import UserError
from synthaug.hardware import mixed_precision

_ROWS = 8192  # images of the pool in one matrix product
_IMAGES = 500  # images of the pool in one pass through the network


def head_passes(
    classifier: FittedClassifier, features: Floats, rate: float, passes: int, seed: int
) -> Floats:
    """Class probabilities (T, N, K) float32 of T passes with dropout at ``rate`` (0..1) on the features (N, D).

    ``features`` come from ``FittedClassifier.features``, without dropout. Raises UserError; see :func:`check_passes`.
    """
    head = classifier.network.head
    heads = masked_heads(head.weight.detach().float().cpu(), rate, passes, seed)  # (T, K, D)
    count = head.out_features
    stacked = heads.reshape(passes * count, -1).T
    bias = head.bias.detach().float().cpu()
    result = np.empty((passes, len(features), count), np.float32)
    for start in range(0, len(features), _ROWS):
        rows = torch.from_numpy(np.ascontiguousarray(features[start : start + _ROWS], np.float32))
        logits = (rows @ stacked).view(len(rows), passes, count) + bias
        probabilities = (logits / classifier.recipe.temperature).softmax(2)
        result[:, start : start + _ROWS] = probabilities.transpose(0, 1).numpy()
    return result


@torch.inference_mode()
def network_passes(
    classifier: FittedClassifier, images: Images, rate: float, passes: int, seed: int, body_rate: float = 0.0
) -> Floats:
    """Class probabilities (T, N, K) float32 of T passes of the whole network, with ``body_rate`` as its inner dropout.

    This is the slow reference for :func:`head_passes`, which gives the same probabilities if ``body_rate`` is 0.
    ``images`` are (N, H, W, 3) uint8. Raises UserError.
    """
    check_images(images)
    network, recipe = classifier.network, classifier.recipe
    device = network.head.weight.device
    heads = masked_heads(network.head.weight.detach().float(), rate, passes, seed)
    mean, std = (torch.tensor(each, device=device) for each in (classifier.mean, classifier.std))
    generator = torch.Generator(device).manual_seed(seed)
    result = np.empty((passes, len(images), classifier.num_classes), np.float32)
    for start in range(0, len(images), _IMAGES):
        rows = slice(start, start + _IMAGES)
        batch = standardise(to_tensor(images[rows], recipe.image_size, recipe.framing).to(device), mean, std)
        for number in range(passes):
            precise = mixed_precision(device, wanted=recipe.mixed_precision)  # as in ``Fitted.outputs``
            with dropping(network, body_rate, generator), precise:
                features = penultimate(network, batch, recipe)
            logits = features.float() @ heads[number].T + network.head.bias
            result[number, rows] = (logits / recipe.temperature).softmax(1).cpu().numpy()
    return result


def check_passes(rate: float, passes: int) -> None:
    """Raises UserError for a dropout rate outside 0..1 or fewer than two passes."""
    if not 0 < rate < 1:
        raise UserError(f"the dropout rate is {rate:g}; it must lie between 0 and 1")
    if passes < 2:
        raise UserError(f"the number of Monte Carlo passes is {passes}; it must be at least 2")


def rank_agreement(scores: NDArray[np.floating[Any]], reference: NDArray[np.floating[Any]]) -> float:
    """Spearman's rank correlation, -1..1, of two scores (N,) of the same images; NaN if one of them is constant."""
    from scipy.stats import spearmanr

    if np.ptp(scores) == 0 or np.ptp(reference) == 0:
        return float("nan")
    return float(spearmanr(scores, reference).statistic)


def masked_heads(weight: Tensor, rate: float, passes: int, seed: int) -> Tensor:
    """The head's weights (K, D) with random features dropped in each pass: (T, K, D). Always drawn on the CPU."""
    check_passes(rate, passes)
    generator = torch.Generator().manual_seed(seed)
    kept = torch.empty(passes, 1, weight.shape[1]).bernoulli_(1 - rate, generator=generator)
    return weight * (kept / (1 - rate)).to(weight.device)
