"""Read stored images into one array."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from synthaug.images import resize
from synthaug.workspace import Workspace


def load_pixels(workspace: Workspace, hashes: Sequence[str], size: int) -> NDArray[np.uint8]:
    """Images as (N, size, size, 3) uint8; what has another size is resized, antialiased."""
    pixels = np.empty((len(hashes), size, size, 3), np.uint8)
    known: dict[str, int] = {}  # a view may hold an image many times; it is read once
    for i, sha256 in enumerate(hashes):
        first = known.setdefault(sha256, i)
        if first != i:
            pixels[i] = pixels[first]
            continue
        image = workspace.images.read(sha256)
        pixels[i] = image if image.shape[:2] == (size, size) else resize(image, (size, size))
    return pixels


def in_batches(count: int, size: int) -> Iterator[slice]:
    """Slices that cover ``range(count)``."""
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))
