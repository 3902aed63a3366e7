"""The routes of the map and the inspector, except the points: images, suspects, selections, facets and tags."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field

from synthaug.errors import UserError
from synthaug.reading import beside, explore, facets, feature_space, inspection, queue
from synthaug.reading.feature_space import FeatureSpace
from synthaug.reading.inspection import Inspection
from synthaug.reading.queue import QueueItem
from synthaug.reading.suspects import Suspects, saved, saved_names, suspects
from synthaug.stages.selections import save_selection
from synthaug.stages.tag import counts, tag
from synthaug.workspace import Workspace

from .accounts.person import Asking, Signer, reader_of
from .context import AppContext
from .points import encode_facets
from .replies import Done, Names, extended

BYTES = "application/octet-stream"
MOST_IDS = 1_000_000
Features = Callable[[str], FeatureSpace | None]
"""The features of a version; None if there are none."""
FRESH = {"Cache-Control": "no-store"}


class SelectionIn(BaseModel):
    """Images to save under a name."""

    name: str = Field(max_length=200)
    ids: list[int] = Field(max_length=MOST_IDS)


class TagIn(BaseModel):
    """Images to which a tag is added, or from which it is removed."""

    ids: list[int] = Field(max_length=MOST_IDS)
    tag: str = Field(max_length=200)
    tagged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownInspection(Inspection):
    """All that is known of one image, with the names of the classes."""

    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """An image to show beside another one, and why."""

    why: str
    item: QueueItem


@dataclass(frozen=True, slots=True)
class Offers:
    """The images to show beside another one, the most useful first."""

    offers: list[Offer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved(Done):
    """The name under which a selection was saved."""

    name: str


@dataclass(frozen=True, slots=True)
class TagCounts:
    """How many images have each tag."""

    counts: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagged(Done):
    """How many images the request changed."""

    changed: int


def map_router(context: AppContext) -> APIRouter:
    """``/data/image/KEY`` and ``/image/KEY`` (an id or SHA-256), ``/data/beside/ID``, ``/data/suspects/KIND``.

    ``/data/selections``, ``/data/tags``; ``/data/facets`` (see points.py); ``/data/search?text=``: ids as 32-bit
    numbers, little-endian.
    """
    router = APIRouter()
    workspace = context.workspace

    @lru_cache(maxsize=1)
    def loaded(version: str) -> FeatureSpace | None:
        try:
            return feature_space.load(workspace)
        except UserError:  # nothing was scored yet, or the file of features was deleted: no neighbours
            return None

    _add_images(router, workspace, loaded)
    _add_suspects(router, workspace, loaded)
    _add_selections(router, workspace)
    _add_facets(router, workspace)
    _add_tags(router, workspace)
    return router


def _add_images(router: APIRouter, workspace: Workspace, loaded: Features) -> None:
    @router.get("/data/image/{key}")
    def image(key: str) -> ShownInspection:
        space = loaded(feature_space.version(workspace))
        found = inspection.inspect(workspace, key, space)
        return extended(ShownInspection, found, classes=workspace.classes)

    @router.get("/data/beside/{image_id}")
    def offered(image_id: int, who: Asking) -> Offers:
        space = loaded(feature_space.version(workspace))
        blind = queue.items(workspace, [image_id], reader_of(who))[0].blind
        found = beside.companions(workspace, image_id, space, blind=blind)
        shown = queue.items(workspace, [each.image_id for each in found], reader_of(who))
        return Offers([Offer(each.why, item) for each, item in zip(found, shown, strict=True)])

    @router.get("/image/{key}")
    def link(key: str) -> RedirectResponse:
        return RedirectResponse(f"/explore?image={inspection.find(workspace, key).sha256}")


def _add_suspects(router: APIRouter, workspace: Workspace, loaded: Features) -> None:
    looking = Lock()

    @lru_cache(maxsize=3)
    def looked_for(kind: str, scored: str, known: str) -> Suspects:
        return suspects(workspace, kind, loaded(scored))

    @router.get("/data/suspects/{kind}")
    def suspicious(kind: str) -> Suspects:
        with looking:  # one at a time, because each uses all cores
            return looked_for(kind, feature_space.version(workspace), explore.version(workspace))


def _add_selections(router: APIRouter, workspace: Workspace) -> None:
    @router.get("/data/selections")
    def saved_selections() -> Names:
        return Names(saved_names(workspace))

    @router.get("/data/selections/{name:path}")
    def saved_selection(name: str) -> Suspects:
        return saved(workspace, name)

    @router.post("/data/selections")
    def save(body: SelectionIn) -> Saved:
        return Saved(name=save_selection(workspace, body.name, body.ids))


def _add_facets(router: APIRouter, workspace: Workspace) -> None:
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


def _add_tags(router: APIRouter, workspace: Workspace) -> None:
    @router.get("/data/tags")
    def all_tags() -> TagCounts:
        return TagCounts(counts(workspace))

    @router.post("/data/tags")
    def put_tag(body: TagIn, who: Signer) -> Tagged:
        changed = tag(workspace, body.ids, body.tag, who.name, remove=not body.tagged)
        return Tagged(changed=changed)
