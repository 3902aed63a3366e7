"""The fitted UMAP, stored as safetensors in the folder of the features."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthaug.errors import explain_os_error
from synthaug.files import write_atomically
from synthaug.measures.umap_fit import UmapFit

FILE = "umap.safetensors"


@dataclass(frozen=True, slots=True)
class KeptFit:
    """A fitted UMAP, the ``ids`` (N,) of its images, and the ``revision`` of the network of its features."""

    fit: UmapFit
    ids: NDArray[np.int64]
    revision: str


def save(folder: Path, kept: KeptFit) -> None:
    """Write a fit, which replaces the previous one. Raises WorkspaceError for a full or read-only disk."""
    from safetensors.numpy import save as to_bytes

    fit = kept.fit
    tensors = {
        "mean": fit.mean,
        "components": fit.components,
        "points": fit.points,
        "embedding": fit.embedding,
        "ids": kept.ids,
    }
    data = to_bytes(
        {name: np.ascontiguousarray(each) for name, each in tensors.items()},
        {"revision": kept.revision, "seed": str(fit.seed)},
    )
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise explain_os_error(error, folder) from error
    write_atomically(folder / FILE, data)


def read(folder: Path) -> KeptFit | None:
    """The stored fit; None if there is none or its file is damaged, so that it is computed again."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(folder / FILE, framework="numpy") as stored:
            about = stored.metadata() or {}
            mean, components, points, embedding, ids = (
                stored.get_tensor(name) for name in ("mean", "components", "points", "embedding", "ids")
            )
        kept = KeptFit(
            UmapFit(mean, components, points, embedding, int(about["seed"])), ids, about["revision"]
        )
    except (SafetensorError, OSError, KeyError, ValueError):
        return None
    return kept if _consistent(kept) else None


def _consistent(kept: KeptFit) -> bool:
    fit = kept.fit
    count, width = len(kept.ids), len(fit.mean)
    return bool(
        fit.points.shape == (count, len(fit.components) or width)
        and fit.embedding.shape == (count, 2)
        and fit.components.shape[1:] == (width,)
        and np.isfinite(fit.embedding).all()
        and np.isfinite(fit.points).all()
    )
