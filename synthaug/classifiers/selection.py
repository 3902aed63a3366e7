"""Choosing the epoch whose weights are kept: held-out images to judge by, and the best state so far."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from synthaug.classifiers.base import Images
from synthaug.errors import UserError

if TYPE_CHECKING:
    from synthaug.progress import EpochReport


def hold_out(images: Images, strata: NDArray[np.integer[Any]], share: float, seed: int) -> NDArray[np.bool_]:
    """Mask (N,), true for images held out of training: about ``share`` of the distinct images of each stratum.

    At least one distinct image of each stratum stays in training. All copies of an image stay together, so that an
    oversampled image is not judged by its own copy. ``strata`` (N,) are integers, such as class indices. Raises
    UserError if there are too few images to hold any out.
    """
    generator = torch.Generator().manual_seed(seed)
    copies = _identities(images)
    held = np.zeros(len(images), bool)
    for stratum in np.unique(strata):
        inside = strata == stratum
        different = np.unique(copies[inside])
        count = min(round(share * len(different)), len(different) - 1)
        drawn = torch.randperm(len(different), generator=generator)[:count].numpy()
        held |= inside & np.isin(copies, different[drawn])
    if not held.any():
        raise UserError(
            f"{len(images)} training images are too few to hold out {share:.0%} of each class for validation; "
            "add images, or keep the last epoch (selection 'last')"
        )
    return held


def _identities(images: Images) -> NDArray[np.int64]:
    """An integer for each image (N,), the same for equal images."""
    numbers: dict[bytes, int] = {}
    digests = (hashlib.blake2b(each.tobytes(), digest_size=16).digest() for each in images)
    return np.array([numbers.setdefault(digest, len(numbers)) for digest in digests], np.int64)


@dataclass(slots=True)
class Best:
    """The epoch with the best selection score so far, its report, and a copy of the network's state after it."""

    higher_is_better: bool
    epoch: int = 0
    score: float = 0.0
    report: EpochReport | None = None
    state: dict[str, Tensor] = field(default_factory=dict)

    def offer(self, network: nn.Module, epoch: int, score: float, report: EpochReport) -> None:
        """Keep this epoch if its score is better than all earlier ones; of equal scores the first is kept."""
        if self.epoch and not (score > self.score if self.higher_is_better else score < self.score):
            return
        self.epoch, self.score, self.report = epoch, score, report
        self.state = {name: each.clone() for name, each in network.state_dict().items()}
