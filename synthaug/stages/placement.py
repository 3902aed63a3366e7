"""UMAP coordinates of the images: the map is fitted once, then new images are placed among the old, which stay."""

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
    """UMAP coordinates (N, 2), and how many of the N images were placed in a map that was fitted without them."""

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
    """Coordinates of the images ``ids`` (N), ascending, with these features (N, D).

    ``revision`` identifies what computed the features. UMAP is fitted again if ``refit`` asks for it, for other
    features or another seed, if a fitted image is gone, and as soon as more images would be placed than were fitted:
    such a map would show mostly how few images it knows.
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
