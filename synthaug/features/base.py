"""The feature-extractor seam: images in, one vector an image out."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from synthaug.records import Framing

Images = NDArray[np.unsignedinteger[Any]]
"""RGB images of one size, shape (N, S, S, 3); uint8, or uint16 where 65535 is white."""

Features = NDArray[np.float32]


class FeatureExtractor(Protocol):
    """What the stages need of an extractor. An image's features do not depend on the images beside it."""

    @property
    def name(self) -> str:
        """The name that finds it again."""

    @property
    def revision(self) -> str:
        """SHA-256 (hex) of the weights, the input size and the framing: equal revisions extract alike."""

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
        """Features (N, D) of images (N, S, S, 3). Raises ValueError on another shape or type."""
