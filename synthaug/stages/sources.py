"""Reading labeled images into arrays without a workspace, to train and test the shipped models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthaug.errors import UserError
from synthaug.images import decode
from synthaug.importers import detect, load_importer
from synthaug.progress import Progress
from synthaug.records import Split


def labeled_arrays(
    source: Path, classes: Sequence[str], split: Split, size: int, progress: Progress | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images (N, size, size, 3) uint8 and class indices (N,) of one split, in the order of the source.

    Raises UserError for an image of another size or class, and if the split is empty.
    """
    importer = load_importer(detect(source))
    total = importer.count(source) or 0
    images, labels = [], []
    for done, item in enumerate(importer.items(source), start=1):
        if progress is not None and done % 1000 == 0:
            progress(done, total, "reading images")
        if item.split != split:
            continue
        if item.rejected or item.class_name not in classes:
            reason = item.rejected or f"its class {item.class_name!r} is not one of {', '.join(classes)}"
            raise UserError(f"{source}: {item.path} cannot be used: {reason}")
        pixels = decode(item.data) if isinstance(item.data, bytes) else item.data
        if pixels.shape != (size, size, 3):
            raise UserError(
                f"{source}: {item.path} is {pixels.shape[1]} x {pixels.shape[0]} pixels; "
                f"it must have {size} x {size}"
            )
        images.append(pixels)
        labels.append(classes.index(item.class_name))
    if not images:
        raise UserError(f"{source} has no images of the {split} split")
    return np.stack(images), np.array(labels, np.int64)
