"""Make synthetic images without a generator: real rows, real files, chosen pixels."""

from __future__ import annotations

import numpy as np

from synthaug.records import Pixels, Split
from synthaug.store import catalog, generations, jobs
from synthaug.store.generations import Generation
from synthaug.workspace import Workspace


def add_synthetic(
    workspace: Workspace, count: int, class_index: int, seed: int = 0, pixels: list[Pixels] | None = None
) -> list[int]:
    """``count`` synthetic images made "for" a class, as a generation job would leave them; their ids."""
    rng = np.random.default_rng(seed)
    job = jobs.submit(workspace.db, "generate", {"test": True}, count)
    jobs.finish(workspace.db, job, "done", result={})
    ids = []
    for position in range(count):
        image = rng.integers(0, 256, (32, 32, 3), np.uint8) if pixels is None else pixels[position]
        sha256 = workspace.images.put(image, {})
        image_id, _ = catalog.add_image(
            workspace.db, sha256=sha256, size=(32, 32), split="train", origin="synthetic", source=f"job {job}"
        )
        stroke = ("bold", "thin")[position % 2]
        generation = Generation(
            job,
            position,
            image_id,
            class_index,
            f"a {stroke} digit",
            position,
            {"STROKE": stroke},
            position,
            "g",
            "r",
        )
        generations.add(workspace.db, generation)
        ids.append(image_id)
    return ids


def add_real(workspace: Workspace, count: int, split: Split = "train") -> list[int]:
    """``count`` real images without labels, others in each split; their ids."""
    rng = np.random.default_rng(1 if split == "train" else 2)
    ids = []
    for _ in range(count):
        sha256 = workspace.images.put(rng.integers(0, 256, (32, 32, 3), np.uint8), {})
        image_id, _ = catalog.add_image(
            workspace.db, sha256=sha256, size=(32, 32), split=split, origin="real", source="camera"
        )
        ids.append(image_id)
    return ids
