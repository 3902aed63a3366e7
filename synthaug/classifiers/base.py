"""The interface of classifiers: from images to class probabilities and penultimate features."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.unsignedinteger[Any]]
"""RGB images of one size, shape (N, H, W, 3): uint8, or uint16 with 65535 as white."""

Floats = NDArray[np.float32]


class Classifier(Protocol):
    """The methods of a trained classifier that the stages use. No call changes the classifier."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """The K classes, in the order of the probabilities' columns."""

    @property
    def num_classes(self) -> int:
        """The number of classes, K."""

    @property
    def revision(self) -> str:
        """SHA-256 (hex) of the weights and the standardisation; equal revisions make equal predictions."""

    def probabilities(self, images: Images) -> Floats:
        """Class probabilities (N, K), in 0..1; each row sums to 1."""

    def features(self, images: Images) -> Floats:
        """Penultimate features (N, D), the input of the linear head."""

    def predict(self, images: Images) -> tuple[Floats, Floats]:
        """Probabilities (N, K) and features (N, D) from a single pass."""

    def save(self, path: Path) -> None:
        """Write everything that is needed to load it again to one safetensors file."""
