"""The route of the landmark scheme: which one the workspace uses, and the owner's choice of it."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter
from pydantic import BaseModel, Field

from synthaug.errors import UnknownName
from synthaug.landmarks.scheme import Scheme, load_scheme, shipped
from synthaug.stages import landmark_scheme

from .context import AppContext
from .replies import Done


class SchemeIn(BaseModel):
    """A scheme of the package, or the one in use, by name; None: use none."""

    name: str | None = Field(max_length=100)
    classes: list[str] | None = Field(None, max_length=100)
    thresholds: list[float] | None = Field(None, max_length=100)
    no_class: bool = False


@dataclass(frozen=True, slots=True)
class Schemes:
    """The scheme of the workspace with its revision, None and "" without one; and the schemes of the package."""

    scheme: Scheme | None
    revision: str
    shipped: list[Scheme]


def landmark_router(context: AppContext) -> APIRouter:
    """``/data/landmarks``."""
    router = APIRouter(prefix="/data")
    workspace = context.workspace

    @router.get("/landmarks")
    def scheme() -> Schemes:
        used = landmark_scheme.current_scheme(workspace)
        revision = "" if used is None else used.revision
        return Schemes(used, revision, [load_scheme(name) for name in shipped()])

    @router.post("/landmarks")
    def use(body: SchemeIn) -> Done:
        if body.name is None:
            landmark_scheme.stop_using(workspace)
            return Done()
        known = {name: load_scheme(name) for name in shipped()}
        used = landmark_scheme.current_scheme(workspace)
        known |= {} if used is None else {used.name: used}
        if body.name not in known:  # a path is for the command line
            raise UnknownName("landmark scheme", body.name, known)
        landmark_scheme.use_scheme(
            workspace,
            known[body.name],
            classes=body.classes,
            thresholds=body.thresholds,
            no_class=body.no_class,
        )
        return Done()

    return router
