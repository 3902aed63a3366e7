"""Which epoch's weights are kept: images held out to judge by, and the best state so far."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from synthaug.classifiers.base import Images
from synthaug.errors import UserError


def hold_out(images: Images, strata: NDArray[np.integer[Any]], share: float, seed: int) -> NDArray[np.bool_]:
    """A mask (N,) of the images held out: about ``share`` of the different images of each stratum.

    At least one different image of a stratum stays in training, and all copies of an image stay together, so
    that an oversampled image does not validate itself. ``strata`` (N,) are class numbers.
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
            f"add images, or keep the last epoch (selection 'last')"
        )
    return held


def _identities(images: Images) -> NDArray[np.int64]:
    """A number (N,) for each image, the same for equal images."""
    numbers: dict[bytes, int] = {}
    digests = (hashlib.blake2b(each.tobytes(), digest_size=16).digest() for each in images)
    return np.array([numbers.setdefault(digest, len(numbers)) for digest in digests], np.int64)


@dataclass(slots=True)
class Best:
    """The epoch of the best selection score so far, its report, and a copy of the network's state then."""

    higher_is_better: bool
    epoch: int = 0
    score: float = 0.0
    report: dict[str, Any] = field(default_factory=dict)
    state: dict[str, Tensor] = field(default_factory=dict)

    def offer(self, network: nn.Module, epoch: int, score: float, report: dict[str, Any]) -> None:
        """Keep this epoch if it is better than all before; of equal ones the first is kept."""
        if self.epoch and not (score > self.score if self.higher_is_better else score < self.score):
            return
        self.epoch, self.score, self.report = epoch, score, report
        self.state = {name: each.clone() for name, each in network.state_dict().items()}
