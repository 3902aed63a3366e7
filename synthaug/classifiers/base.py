"""The classifier seam: images in, class probabilities and penultimate features out."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.unsignedinteger[Any]]
"""RGB images of one size, shape (N, H, W, 3): uint8, or uint16 where 65535 is white."""

Floats = NDArray[np.float32]


class Classifier(Protocol):
    """What the stages need of a trained classifier. Each call leaves it unchanged."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """The K classes, in the order of the probabilities' columns."""

    @property
    def num_classes(self) -> int:
        """K."""

    @property
    def revision(self) -> str:
        """SHA-256 (hex) of the weights and the standardisation: equal revisions predict alike."""

    def probabilities(self, images: Images) -> Floats:
        """Class probabilities (N, K), rows summing to 1."""

    def features(self, images: Images) -> Floats:
        """Penultimate features (N, D): what the linear head sees."""

    def predict(self, images: Images) -> tuple[Floats, Floats]:
        """Probabilities (N, K) and features (N, D) from a single pass."""

    def save(self, path: Path) -> None:
        """Write everything needed to load it again to one safetensors file."""
