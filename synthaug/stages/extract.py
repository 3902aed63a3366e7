"""Extract features of every image with a pretrained network that needs no labels."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from synthaug.features import DEFAULT_EXTRACTOR, load_extractor
from synthaug.progress import Progress
from synthaug.stages.pixels import in_batches, load_levels
from synthaug.store import catalog, features, labels
from synthaug.store.features import FeatureSet
from synthaug.workspace import Workspace

BATCH = 256


def extract(
    workspace: Workspace,
    name: str,
    progress: Progress | None = None,
    *,
    recompute: bool = False,
    only: Collection[str] | None = None,
) -> FeatureSet:
    """Store the features of what the extractor ``name`` has not seen. Stopped and called again, it goes on.

    ``only``: hashes of the images that are wanted now; None for all.

    Raises UnknownName, UserError where its package or its weights are missing.
    """
    extractor = load_extractor(name, catalog.usual_side(workspace.db))
    held = features.feature_set(workspace.db, name, extractor.revision, extractor.dimension)
    if recompute:
        features.forget(workspace.db, workspace.features_folder, held)
    images = features.images_without(workspace.db, held)
    if only is not None:
        wanted = set(only)
        images = [row for row in images if row["sha256"] in wanted]
    for part in in_batches(len(images), BATCH):
        if progress is not None:
            progress(part.start, len(images), f"features of {name}")
        batch = images[part]
        pixels = load_levels(workspace, [row["sha256"] for row in batch], extractor.image_size)
        rows = extractor.features(pixels)
        features.append(workspace.db, workspace.features_folder, held, [row["id"] for row in batch], rows)
    return held


def features_of(
    workspace: Workspace, hashes: Sequence[str], progress: Progress | None = None
) -> tuple[NDArray[np.float32], str]:
    """Features (N, D) of images by the extractor that comes with the packages, and its revision; kept for the next."""
    held = extract(workspace, DEFAULT_EXTRACTOR, progress, only=hashes)
    ids, rows = features.read_all(workspace.db, workspace.features_folder, held)
    known = labels.by_hash(workspace.db, list(dict.fromkeys(hashes)))
    place = {image_id: row for row, image_id in enumerate(ids)}
    chosen = [place[known[each].image_id] for each in hashes]
    return rows[chosen].astype(np.float32), held.revision
