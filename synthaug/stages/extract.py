"""Extract features of every image with a pretrained network that needs no labels."""

from __future__ import annotations

from synthaug.features import load_extractor
from synthaug.progress import Progress
from synthaug.stages.pixels import in_batches, load_pixels
from synthaug.store import catalog, features
from synthaug.store.features import FeatureSet
from synthaug.workspace import Workspace

BATCH = 256


def extract(
    workspace: Workspace, name: str, progress: Progress | None = None, *, recompute: bool = False
) -> FeatureSet:
    """Store the features of what the extractor ``name`` has not seen. Stopped and called again, it goes on.

    Raises UnknownName, UserError where its package or its weights are missing.
    """
    size = catalog.usual_size(workspace.db)
    extractor = load_extractor(name, max(size) if size else 0)
    held = features.feature_set(workspace.db, name, extractor.revision, extractor.dimension)
    if recompute:
        features.forget(workspace.db, workspace.features_folder, held)
    images = features.images_without(workspace.db, held)
    for part in in_batches(len(images), BATCH):
        if progress is not None:
            progress(part.start, len(images), f"features of {name}")
        batch = images[part]
        pixels = load_pixels(workspace, [row["sha256"] for row in batch], extractor.image_size)
        rows = extractor.features(pixels)
        features.append(workspace.db, workspace.features_folder, held, [row["id"] for row in batch], rows)
    return held
