"""What the map and the inspector read beside the points: one image, the link that opens it, the suspects."""

from __future__ import annotations

from dataclasses import asdict
from functools import lru_cache
from threading import Lock
from typing import Any

from fastapi import APIRouter
from fastapi.responses import RedirectResponse

from synthaug.errors import UserError
from synthaug.reading import explore, feature_space, inspection
from synthaug.reading.feature_space import FeatureSpace
from synthaug.reading.suspects import Suspects, suspects

from .context import AppContext


def map_router(context: AppContext) -> APIRouter:
    """``/data/image/KEY`` and ``/image/KEY`` (an id or SHA-256), and ``/data/suspects/KIND``."""
    router = APIRouter()
    workspace = context.workspace
    looking = Lock()

    @lru_cache(maxsize=1)
    def loaded(version: str) -> FeatureSpace | None:
        try:
            return feature_space.load(workspace)
        except UserError:  # nothing was scored yet, or the features' file is gone: no neighbours
            return None

    @router.get("/data/image/{key}")
    def image(key: str) -> dict[str, Any]:
        space = loaded(feature_space.version(workspace))
        return asdict(inspection.inspect(workspace, key, space)) | {"classes": list(workspace.classes)}

    @lru_cache(maxsize=3)
    def looked_for(kind: str, scored: str, known: str) -> Suspects:
        return suspects(workspace, kind, loaded(scored))

    @router.get("/data/suspects/{kind}")
    def queue(kind: str) -> dict[str, Any]:
        with looking:  # one at a time: each needs all cores
            return asdict(looked_for(kind, feature_space.version(workspace), explore.version(workspace)))

    @router.get("/image/{key}")
    def link(key: str) -> RedirectResponse:
        return RedirectResponse(f"/explore?image={inspection.find(workspace, key).sha256}")

    return router
