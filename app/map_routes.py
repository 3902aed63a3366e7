"""What the map and the inspector read beside the points: one image, the link that opens it, the suspects."""

from __future__ import annotations

from dataclasses import asdict
from functools import lru_cache
from threading import Lock
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field

from synthaug.errors import UserError
from synthaug.reading import beside, explore, facets, feature_space, inspection, queue
from synthaug.reading.feature_space import FeatureSpace
from synthaug.reading.suspects import Suspects, saved, saved_names, suspects
from synthaug.stages.selections import save_selection
from synthaug.stages.tag import counts, tag

from .accounts.person import Person, person, reader_of, signer
from .context import AppContext
from .points import encode_facets

Asking = Annotated[Person, Depends(person)]
Signer = Annotated[Person, Depends(signer)]

BYTES = "application/octet-stream"
MOST_IDS = 1_000_000
FRESH = {"Cache-Control": "no-store"}


class SelectionIn(BaseModel):
    """Images to keep under a name."""

    name: str = Field(max_length=200)
    ids: list[int] = Field(max_length=MOST_IDS)


class TagIn(BaseModel):
    """Images to put a tag on, or to take it off."""

    ids: list[int] = Field(max_length=MOST_IDS)
    tag: str = Field(max_length=200)
    tagged: bool


def map_router(context: AppContext) -> APIRouter:
    """``/data/image/KEY`` and ``/image/KEY`` (an id or SHA-256), ``/data/suspects/KIND``, ``/data/selections``.

    ``/data/beside/ID``: what to look at beside an image.

    And ``/data/facets`` (see points.py), ``/data/search?text=``: ids as 32-bit numbers, little-endian.
    """
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

    @router.get("/data/beside/{image_id}")
    def offered(image_id: int, who: Asking) -> dict[str, Any]:
        space = loaded(feature_space.version(workspace))
        blind = queue.items(workspace, [image_id], reader_of(who))[0].blind
        found = beside.companions(workspace, image_id, space, blind=blind)
        shown = queue.items(workspace, [each.image_id for each in found], reader_of(who))
        return {
            "offers": [
                {"why": each.why, "item": asdict(item)} for each, item in zip(found, shown, strict=True)
            ]
        }

    @lru_cache(maxsize=3)
    def looked_for(kind: str, scored: str, known: str) -> Suspects:
        return suspects(workspace, kind, loaded(scored))

    @router.get("/data/suspects/{kind}")
    def suspicious(kind: str) -> dict[str, Any]:
        with looking:  # one at a time: each needs all cores
            return asdict(looked_for(kind, feature_space.version(workspace), explore.version(workspace)))

    @router.get("/data/selections")
    def saved_selections() -> dict[str, Any]:
        return {"names": saved_names(workspace)}

    @router.get("/data/selections/{name:path}")
    def saved_selection(name: str) -> dict[str, Any]:
        return asdict(saved(workspace, name))

    @router.post("/data/selections")
    def save(body: SelectionIn) -> dict[str, Any]:
        return {"ok": True, "name": save_selection(workspace, body.name, body.ids)}

    @lru_cache(maxsize=1)
    def encoded(version: str) -> bytes:
        return encode_facets(facets.facets(workspace))

    @router.get("/data/facets")
    def all_facets() -> Response:
        return Response(encoded(facets.version(workspace)), media_type=BYTES, headers=FRESH)

    @router.get("/data/search")
    def search(text: Annotated[str, Query(max_length=200)]) -> Response:
        ids = facets.search(workspace, text)
        return Response(ids.astype("<u4").tobytes(), media_type=BYTES, headers=FRESH)

    @router.get("/data/tags")
    def all_tags() -> dict[str, Any]:
        return {"counts": counts(workspace)}

    @router.post("/data/tags")
    def put_tag(body: TagIn, who: Signer) -> dict[str, Any]:
        changed = tag(workspace, body.ids, body.tag, who.name, remove=not body.tagged)
        return {"ok": True, "changed": changed}

    @router.get("/image/{key}")
    def link(key: str) -> RedirectResponse:
        return RedirectResponse(f"/explore?image={inspection.find(workspace, key).sha256}")

    return router
