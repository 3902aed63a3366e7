"""Rows of a workspace for tests of what reads them: an image of one gray, a model that nobody trained."""

from __future__ import annotations

import numpy as np

from synthaug.records import Origin
from synthaug.store import catalog, models
from synthaug.store.models import Model
from synthaug.workspace import Workspace


def add_gray_image(
    workspace: Workspace, level: int, origin: Origin, *, source: str = "here", caption: str | None = None
) -> int:
    """A training image of 8 x 8 px, all of them ``level``; its id."""
    return catalog.add_image(
        workspace.db,
        sha256=workspace.images.put(np.full((8, 8, 3), level, np.uint8), {}),
        size=(8, 8),
        split="train",
        origin=origin,
        source=source,
        caption=caption,
    )[0]


def add_camera_images(workspace: Workspace, count: int, seed: int) -> None:
    """Real training images of noise, 32 x 32 px, without a label."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        sha256 = workspace.images.put(rng.integers(0, 256, (32, 32, 3), np.uint8), {})
        catalog.add_image(
            workspace.db, sha256=sha256, size=(32, 32), split="train", origin="real", source="camera"
        )


def add_untrained_model(workspace: Workspace, *, name: str = "reader", recipe: str = "none") -> Model:
    """A row of the table of models, without a file."""
    return models.add(
        workspace.db,
        name=name,
        recipe=recipe,
        revision="0" * 64,
        seed=0,
        view_id=None,
        file="models/none.safetensors",
        metrics={},
        environment={},
    )
