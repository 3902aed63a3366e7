"""The routes of landmarks: the scheme that the workspace uses, files of landmarks, and the model that places them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from synthaug.errors import UnknownName
from synthaug.landmarks.scheme import Scheme, load_scheme, parse_scheme, shipped
from synthaug.reading.landmark_models import Standing, standing
from synthaug.stages import landmark_files, landmark_request, landmark_scheme
from synthaug.stages.landmark_correction import correct_test_landmarks
from synthaug.stages.landmark_files import LandmarkImport

from .accounts.person import Person, signer
from .context import AppContext

Signer = Annotated[Person, Depends(signer)]

MOST_TEXT = 200_000  # characters of a scheme
MOST_SKIPPED = 100  # rows of a file that are listed with the reason


class TextIn(BaseModel):
    """A text file from the browser; its name says what is in it, and names it in messages."""

    file: str = Field(max_length=300)
    text: str = Field(max_length=16_000_000)


class SchemeIn(BaseModel):
    """A scheme of the package or the one in use, by name, or the text of a TOML file; neither: use none."""

    name: str | None = Field(max_length=100)
    toml: str | None = Field(None, max_length=MOST_TEXT)
    classes: list[str] | None = Field(None, max_length=100)
    thresholds: list[float] | None = Field(None, max_length=100)
    no_class: bool = False


class CorrectionIn(BaseModel):
    """Other landmarks of a real test image, in its pixels, and why."""

    image_id: int = Field(ge=1, lt=2**63)
    points: dict[str, tuple[float, float] | tuple[float, float, float]] = Field(max_length=200)
    reason: str = Field(max_length=2000)


def landmark_router(context: AppContext) -> APIRouter:
    """``/data/landmarks`` and what lies below it."""
    router = APIRouter(prefix="/data/landmarks")
    _add_scheme(router, context)
    _add_files(router, context)
    _add_model(router, context)
    return router


def _add_scheme(router: APIRouter, context: AppContext) -> None:
    workspace = context.workspace

    @router.get("")
    def scheme() -> dict[str, Any]:
        used = landmark_scheme.current_scheme(workspace)
        return {
            "scheme": None if used is None else asdict(used),
            "revision": "" if used is None else used.revision,
            "shipped": [asdict(load_scheme(name)) for name in shipped()],
        }

    @router.post("/scheme")
    def read(body: TextIn) -> dict[str, Any]:
        """What a TOML file says; nothing is changed."""
        return {"scheme": asdict(parse_scheme(body.text, body.file))}

    @router.post("")
    def use(body: SchemeIn) -> dict[str, Any]:
        if body.name is None:
            landmark_scheme.stop_using(workspace)
            return {"ok": True}
        landmark_scheme.use_scheme(
            workspace,
            _asked(body, landmark_scheme.current_scheme(workspace)),
            classes=body.classes,
            thresholds=body.thresholds,
            no_class=body.no_class,
        )
        return {"ok": True}


def _asked(body: SchemeIn, used: Scheme | None) -> Scheme:
    """The scheme that is asked for. A path is for the command line. Raises UserError."""
    if body.toml is not None:
        return parse_scheme(body.toml, f"{body.name}.toml")
    known = {name: load_scheme(name) for name in shipped()}
    known |= {} if used is None else {used.name: used}
    if body.name not in known:
        raise UnknownName("landmark scheme", str(body.name), known)
    return known[body.name]


def _add_files(router: APIRouter, context: AppContext) -> None:
    workspace = context.workspace

    @router.post("/import")
    def read_file(body: TextIn, who: Signer) -> dict[str, Any]:
        content = body.text.encode()
        return _outcome(landmark_files.import_content(workspace, content, body.file, who.name))

    @router.post("/captions")
    def read_captions(who: Signer) -> dict[str, Any]:
        return _outcome(landmark_files.import_captions(workspace, who.name))

    @router.post("/correction")
    def correct(body: CorrectionIn, who: Signer) -> dict[str, Any]:
        found = correct_test_landmarks(workspace, body.image_id, body.points, who.name, body.reason)
        return {"ok": True, "label": found.label}


def _outcome(found: LandmarkImport) -> dict[str, Any]:
    return asdict(found) | {"skipped": found.skipped[:MOST_SKIPPED], "skipped_count": len(found.skipped)}


def _add_model(router: APIRouter, context: AppContext) -> None:
    workspace = context.workspace

    @router.get("/model")
    def model() -> dict[str, Any]:
        found = standing(workspace)
        return {"standing": None if found is None else _standing(found)}

    @router.post("/model")
    def train(who: Signer) -> dict[str, Any]:
        return {"ok": True, "job": landmark_request.submit(workspace)}


def _standing(found: Standing) -> dict[str, Any]:
    job = found.job
    shown = ("id", "state", "done", "total", "note", "error")
    return asdict(found) | {"job": None if job is None else {name: getattr(job, name) for name in shown}}
