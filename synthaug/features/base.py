"""The interface of feature extractors: from images to one vector per image."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from synthaug.records import Framing

Images = NDArray[np.unsignedinteger[Any]]
"""RGB images of one size, shape (N, S, S, 3): uint8, or uint16 with 65535 as white."""

Features = NDArray[np.float32]


class FeatureExtractor(Protocol):
    """The methods of an extractor that the stages use. The features of an image do not depend on the other images."""

    @property
    def name(self) -> str:
        """The name by which it is loaded."""

    @property
    def revision(self) -> str:
        """SHA-256 (hex) of the weights, the input size and the framing; equal revisions give equal features."""

    @property
    def image_size(self) -> int:
        """S, the height and width in pixels that it reads."""

    @property
    def framing(self) -> Framing:
        """How an image that is not square becomes one before it is read."""

    @property
    def dimension(self) -> int:
        """D, the length of a feature vector."""

    def features(self, images: Images) -> Features:
        """Features (N, D) of images (N, S, S, 3). Raises ValueError for another shape or dtype."""
