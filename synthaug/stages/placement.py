"""UMAP coordinates of the images: UMAP is fitted once, and new images are then placed without moving the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthaug.measures.projection import Coordinates
from synthaug.measures.umap_fit import fit_umap
from synthaug.progress import Progress
from synthaug.store import umap_fits
from synthaug.store.umap_fits import KeptFit
from synthaug.workspace import Workspace

Features = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Placement:
    """UMAP coordinates (N, 2), and the number of images that were placed in a UMAP that was fitted without them."""

    coordinates: Coordinates
    placed: int


def place(
    workspace: Workspace,
    revision: str,
    ids: list[int],
    features: Features,
    seed: int,
    progress: Progress | None = None,
    *,
    refit: bool = False,
) -> Placement:
    """UMAP coordinates of images with ``ids`` (N), ascending, and features (N, D).

    ``revision`` identifies the network of the features. UMAP is fitted again with ``refit``, for other features or
    another seed, if a fitted image no longer exists, and if more images would be placed than were fitted.
    """
    known = np.array(ids, np.int64)
    kept = None if refit else umap_fits.read(workspace.features_folder)
    if kept is None or not _serves(kept, revision, known, features.shape[1], seed):
        fit = fit_umap(features, seed, progress)
        if not fit.flat:
            umap_fits.save(workspace.features_folder, KeptFit(fit, known, revision))
        return Placement(fit.embedding, 0)
    new = ~np.isin(known, kept.ids)
    coordinates = np.empty((len(known), 2), np.float32)
    coordinates[~new] = kept.fit.embedding
    coordinates[new] = kept.fit.transform(features[new], progress)
    return Placement(coordinates, int(new.sum()))


def _serves(kept: KeptFit, revision: str, ids: NDArray[np.int64], width: int, seed: int) -> bool:
    return (
        kept.revision == revision
        and kept.fit.seed == seed
        and len(kept.fit.mean) == width
        and bool(np.isin(kept.ids, ids).all())
        and len(ids) <= 2 * len(kept.ids)
    )
