"""The routes of several readers: which images a person holds, the settings of reading, and the agreement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from synthaug.reading import queue
from synthaug.reading.agreement import ReaderAgreement, agreement_of_readers
from synthaug.reading.queue import QueueItem
from synthaug.stages import readers, reading_settings
from synthaug.stages.annotate import annotate
from synthaug.stages.reading_settings import ReadingSettings

from .accounts.person import Signer, reader_of
from .context import AppContext
from .replies import Done

MOST_LEASED = 200


class LeaseIn(BaseModel):
    """Images that a desk shows or will show next."""

    ids: list[Annotated[int, Field(ge=1, lt=2**63)]] = Field(min_length=1, max_length=MOST_LEASED)
    scope: str = "all"


class NoteIn(BaseModel):
    """A note of a person about an image, and whether the image is flagged."""

    image_id: int = Field(ge=1, lt=2**63)
    text: str = Field(max_length=4000)
    flagged: bool


class SettingsIn(BaseModel):
    """Settings of reading to change; those that are missing keep their value."""

    blind: bool | None = None
    second_share: float | None = Field(None, ge=0, le=1)
    guideline: str | None = None
    refit_every: int | None = Field(None, ge=0, lt=2**31)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leased(Done):
    """The images that the person holds now; those that somebody else holds are left out."""

    items: list[QueueItem]


def reading_router(context: AppContext) -> APIRouter:
    """``/data/leases``, ``/data/notes``, ``/data/reading``, ``/data/agreement``."""
    router = APIRouter(prefix="/data")
    workspace = context.workspace

    @router.post("/leases")
    def lease(body: LeaseIn, who: Signer) -> Leased:
        reader = reader_of(who)
        free = readers.take(workspace, body.ids, reader, body.scope)
        shown = queue.items(workspace, free, reader, body.scope)
        return Leased(items=shown)

    @router.get("/reading")
    def settings() -> ReadingSettings:
        return reading_settings.settings(workspace)

    @router.post("/reading")
    def change(body: SettingsIn) -> ReadingSettings:
        return reading_settings.change(workspace, **body.model_dump(exclude_none=True))

    @router.post("/notes")
    def note(body: NoteIn, who: Signer) -> Done:
        annotate(workspace, body.image_id, who.name, body.text, flagged=body.flagged)
        return Done()

    @router.get("/agreement")
    def agreement() -> ReaderAgreement:
        return agreement_of_readers(workspace)

    return router
