"""What the map and the inspector read beside the points: one image, and the link that opens it."""

from __future__ import annotations

from dataclasses import asdict
from functools import lru_cache
from typing import Any

from fastapi import APIRouter
from fastapi.responses import RedirectResponse

from synthaug.errors import UserError
from synthaug.reading import feature_space, inspection
from synthaug.reading.feature_space import FeatureSpace

from .context import AppContext


def map_router(context: AppContext) -> APIRouter:
    """``/data/image/KEY`` and ``/image/KEY``: an image's id or SHA-256."""
    router = APIRouter()
    workspace = context.workspace

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

    @router.get("/image/{key}")
    def link(key: str) -> RedirectResponse:
        return RedirectResponse(f"/explore?image={inspection.find(workspace, key).sha256}")

    return router
