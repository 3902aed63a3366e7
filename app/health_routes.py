"""The routes of template health: the slot values with their rates, their images, and which values are retired."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter
from pydantic import BaseModel, Field

from synthaug.reading import template_health
from synthaug.reading.template_health import SlotHealth
from synthaug.stages import retire
from synthaug.stages.retire import Retired

from .accounts.person import Signer
from .context import AppContext
from .replies import Done, ImageIds


class RetiredIn(BaseModel):
    """A slot value that generation leaves out from now on, or uses again."""

    slot: str = Field(min_length=1, max_length=500)
    value: str = Field(max_length=500)
    retired: bool


@dataclass(frozen=True, slots=True)
class Health:
    """Slot values, the most rejected first; what stands out, in sentences; the values that are retired."""

    rows: list[SlotHealth]
    sentences: list[str]
    retired: list[Retired]


def health_router(context: AppContext) -> APIRouter:
    """``/data/health``, ``/data/health/images?slot=&value=&trouble=``, ``/data/health/retired``."""
    router = APIRouter(prefix="/data/health")
    workspace = context.workspace

    @router.get("")
    def health() -> Health:
        rows = template_health.health(workspace)
        return Health(rows, template_health.sentences(rows), retire.retired(workspace))

    @router.get("/images")
    def images(slot: str, value: str, trouble: str = "any") -> ImageIds:
        return ImageIds(template_health.image_ids(workspace, slot, value, trouble))

    @router.post("/retired")
    def retired(body: RetiredIn, who: Signer) -> Done:
        act = retire.retire if body.retired else retire.take_back
        act(workspace, body.slot, body.value, who.name)
        return Done()

    return router
