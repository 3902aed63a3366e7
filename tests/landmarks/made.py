"""A workspace of small hips with known landmarks."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from synthaug.records import LabelEntry, Landmarks, Split
from synthaug.stages import label
from synthaug.stages.landmark_scheme import required_scheme, use_scheme
from synthaug.store import catalog
from synthaug.workspace import Workspace

WIDTH, HEIGHT = 400, 300
PLACES: dict[str, tuple[float, ...]] = {
    "left_head": (100.0, 200.0, 30.0),
    "right_head": (300.0, 200.0, 31.5),
    "left_rim": (97.0, 196.0),
    "right_rim": (303.25, 150.0),
}
"""126.87 degrees at the left head (90 + atan(3/4)), 93.72 at the right (90 + atan(3.25/50))."""

LEFT, RIGHT = 126.87, 93.72
SMALL = 1  # the class index in a workspace of the preset hip


def hip_workspace(root: Path) -> Workspace:
    """An empty workspace with the classes Big and Small that uses the scheme hip."""
    workspace = Workspace.create(root, (), "hip")
    use_scheme(workspace, "hip")
    return workspace


def add_film(
    workspace: Workspace, level: int, split: Split = "train", source: str = "", caption: str | None = None
) -> int:
    """A gray picture of 400 x 300; its id."""
    sha256 = workspace.images.put(np.full((HEIGHT, WIDTH, 3), level, np.uint8), {})
    return catalog.add_image(
        workspace.db,
        sha256=sha256,
        size=(WIDTH, HEIGHT),
        split=split,
        origin="real",
        source=source or f"films/{level}.dcm",
        caption=caption,
    )[0]


def answer(
    workspace: Workspace,
    image_id: int,
    op_id: str,
    places: dict[str, tuple[float, ...]] | None = None,
    class_index: int = SMALL,
) -> LabelEntry:
    """What a person says who places the landmarks there."""
    scheme = required_scheme(workspace)
    landmarks = Landmarks(scheme.name, scheme.revision, PLACES if places is None else places)
    return LabelEntry(image_id, "class", "ann", "human", op_id, class_index, landmarks=landmarks)


def place(
    workspace: Workspace, image_id: int, op_id: str, places: dict[str, tuple[float, ...]] | None = None
) -> int:
    """Record it; the id of the log entry."""
    return label.record(workspace, [answer(workspace, image_id, op_id, places)])[0]
