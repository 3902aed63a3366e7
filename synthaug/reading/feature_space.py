"""The features from which the map is computed: nearest neighbours and near-duplicates of images."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthaug.errors import UserError
from synthaug.measures.neighbors import unit_distances
from synthaug.stages.predict import predicted_by
from synthaug.store import catalog, features, models
from synthaug.workspace import Workspace


@dataclass(frozen=True, slots=True, eq=False)  # compared by identity, as the key of caches
class FeatureSpace:
    """Features (N, D) of images with ``ids`` (N,), ascending; ``name`` is their classifier or extractor."""

    name: str
    ids: NDArray[np.int64]
    synthetic: NDArray[np.bool_]  # (N,) False: real
    features: NDArray[np.floating[Any]]

    def nearest(self, image_id: int, among: NDArray[np.bool_], count: int) -> list[tuple[int, float]]:
        """(id, distance) of the ``count`` nearest other images in the mask ``among`` (N,), nearest first.

        Distances, 0..2, are between features normalised to length 1. Empty for an image without features.
        """
        place = int(np.searchsorted(self.ids, image_id))
        if place == len(self.ids) or self.ids[place] != image_id:
            return []
        distances = unit_distances(self.features[place], self.features)
        distances[~among] = np.inf
        distances[place] = np.inf
        first = np.argsort(distances, kind="stable")[:count]
        return [(int(self.ids[i]), float(distances[i])) for i in first if np.isfinite(distances[i])]


def load(workspace: Workspace) -> FeatureSpace:
    """The features on which the current scores are based. Raises UserError if there are none."""
    name = models.scored_features(workspace.db)
    if name is None:
        raise UserError("there are no features; compute them first: synthaug score")
    if name in models.names(workspace.db):
        ids, _, rows = predicted_by(workspace, models.by_name(workspace.db, name))
        return _space(workspace, name, ids, rows)
    held = features.newest(workspace.db, name)
    if held is None:
        raise UserError(
            f"the features of {name!r} no longer exist; compute them again: synthaug score --recompute"
        )
    stored_ids, stored = features.read_all(workspace.db, workspace.features_folder, held)
    return _space(workspace, name, stored_ids, stored)


def _space(workspace: Workspace, name: str, ids: list[int], rows: NDArray[np.floating[Any]]) -> FeatureSpace:
    known = np.array(ids, np.int64)
    synthetic = np.isin(known, catalog.image_ids(workspace.db, origin="synthetic"))
    return FeatureSpace(name, known, synthetic, rows)


def version(workspace: Workspace) -> str:
    """A text that changes whenever the result of :func:`load` changes."""
    return models.scored_at(workspace.db)


def duplicate_groups(repeats: Mapping[int, int]) -> list[list[int]]:
    """Groups of near-duplicates, ids ascending, from a mapping image id -> id of the earlier image it resembles.

    If that image itself resembles an earlier one, all of them form one group.
    """
    groups: dict[int, list[int]] = defaultdict(list)
    first: dict[int, int] = {}
    for image_id in sorted(repeats):
        earlier = repeats[image_id]
        first[image_id] = first.get(earlier, earlier)
        groups[first[image_id]].append(image_id)
    return [[root, *members] for root, members in sorted(groups.items())]
