"""Extracting features of all images with a pretrained network."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from synthaug.executors.base import ExecutorSpec
from synthaug.features import DEFAULT_EXTRACTOR
from synthaug.progress import Progress
from synthaug.records import Framing
from synthaug.stages.inference import extractor_of, look_at
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
    executor: ExecutorSpec | None = None,
    side: int | None = None,
    framing: Framing | None = None,
) -> FeatureSet:
    """Extract and store the features of all images that have none of the extractor ``name``; resumable.

    ``only`` limits this to images with these hashes, and ``recompute`` removes the stored features first. ``executor``
    says who extracts; None means this process. ``side`` and ``framing`` are as for :func:`.load_extractor`; None means
    that the images of the workspace decide. Raises UnknownName, and UserError if a package or weights are missing.
    """
    side = side or catalog.usual_side(workspace.db)
    framing = framing or catalog.framing(workspace.db)
    extractor = extractor_of(name, side, framing)
    held = features.feature_set(workspace.db, name, extractor.revision, extractor.dimension)
    if recompute:
        features.forget(workspace.db, workspace.features_folder, held)
    images = features.images_without(workspace.db, held)
    if only is not None:
        wanted = set(only)
        images = [row for row in images if row["sha256"] in wanted]
    for ids, seen in look_at(
        workspace,
        [(row["id"], row["sha256"]) for row in images],
        "Extraction",
        {"name": name, "side": side, "framing": framing, "revision": extractor.revision},
        name=f"features-{held.id}",
        created_at=held.revision,
        batch=BATCH,
        executor=executor,
        progress=progress,
        note=f"features of {name}",
    ):
        features.append(workspace.db, workspace.features_folder, held, ids, seen["features"])
    return held


def features_of(
    workspace: Workspace,
    hashes: Sequence[str],
    progress: Progress | None = None,
    executor: ExecutorSpec | None = None,
    side: int | None = None,
    framing: Framing | None = None,
) -> tuple[NDArray[np.float32], str]:
    """Features (N, D) of images by the default extractor, which are stored, and its revision.

    ``side`` and ``framing`` are as for :func:`extract`.
    """
    held = extract(
        workspace,
        DEFAULT_EXTRACTOR,
        progress,
        only=hashes,
        executor=executor,
        side=side,
        framing=framing,
    )
    ids, rows = features.read_all(workspace.db, workspace.features_folder, held)
    known = labels.by_hash(workspace.db, list(dict.fromkeys(hashes)))
    place = {image_id: row for row, image_id in enumerate(ids)}
    chosen = [place[known[each].image_id] for each in hashes]
    return rows[chosen].astype(np.float32), held.revision
