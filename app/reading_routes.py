"""The routes of several readers at one queue: which images a person holds."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from .accounts.person import Person, reader_of, signer
from .context import AppContext

Signer = Annotated[Person, Depends(signer)]

MOST_LEASED = 200


class LeaseIn(BaseModel):
    """Images that a desk is about to show, or shows still."""

    ids: list[Annotated[int, Field(ge=1, lt=2**63)]] = Field(min_length=1, max_length=MOST_LEASED)
    scope: str = "all"


def reading_router(context: AppContext) -> APIRouter:
    """``/data/leases``."""
    from synthaug.reading import queue
    from synthaug.stages import readers

    router = APIRouter(prefix="/data")
    workspace = context.workspace

    @router.post("/leases")
    def lease(body: LeaseIn, who: Signer) -> dict[str, Any]:
        reader = reader_of(who)
        free = readers.take(workspace, body.ids, reader, body.scope)
        shown = queue.items(workspace, free, reader, body.scope)
        return {"ok": True, "items": [asdict(item) for item in shown]}

    return router
