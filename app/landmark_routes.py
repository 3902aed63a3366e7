"""The routes of landmarks: the scheme that the workspace uses, files of landmarks, and the model that places them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from synthaug.errors import UnknownName
from synthaug.landmarks.scheme import Scheme, load_scheme, parse_scheme, shipped
from synthaug.reading.landmark_models import Report, Standing, standing
from synthaug.records import Job, JobState
from synthaug.stages import landmark_files, landmark_request, landmark_scheme
from synthaug.stages.landmark_correction import correct_test_landmarks
from synthaug.stages.landmark_files import LandmarkImport

from .accounts.person import Signer
from .context import AppContext
from .replies import Corrected, Done, Queued, attachment, extended

Format = Literal["csv", "coco"]
ENDINGS: dict[Format, str] = {"csv": ".csv", "coco": ".json"}
MOST_TEXT = 200_000  # characters of a scheme
MOST_SKIPPED = 100  # rows of a file that are listed with the reason


class TextIn(BaseModel):
    """A text file from the browser; the extension of its name gives the format, and messages name it."""

    file: str = Field(max_length=300)
    text: str = Field(max_length=16_000_000)


class SchemeIn(BaseModel):
    """A scheme of the package or the one in use, by name, or the text of a TOML file; no name: use no scheme."""

    name: str | None = Field(max_length=100)
    toml: str | None = Field(None, max_length=MOST_TEXT)
    classes: list[str] | None = Field(None, max_length=100)
    thresholds: list[float] | None = Field(None, max_length=100)
    no_class: bool = False


class CorrectionIn(BaseModel):
    """New landmarks of a real test image, in its pixels, and the reason."""

    image_id: int = Field(ge=1, lt=2**63)
    points: dict[str, tuple[float, float] | tuple[float, float, float]] = Field(max_length=200)
    reason: str = Field(max_length=2000)


@dataclass(frozen=True, slots=True)
class Schemes:
    """The scheme of the workspace with its revision, None and "" without one; and the schemes of the package."""

    scheme: Scheme | None
    revision: str
    shipped: list[Scheme]


@dataclass(frozen=True, slots=True)
class ReadScheme:
    """The scheme that a TOML file describes."""

    scheme: Scheme


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownImport(LandmarkImport):
    """What became of the rows of a file; ``skipped`` has only the first ones."""

    skipped_count: int


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """The job that trains a landmark model."""

    id: int
    state: JobState
    done: int
    total: int
    note: str
    error: str


@dataclass(frozen=True, slots=True)
class ShownStanding:
    """The landmark model of the workspace; see :class:`Standing`."""

    scheme: str
    placed: int
    needed: int
    new: int
    job: TrainingJob | None
    report: Report | None


@dataclass(frozen=True, slots=True)
class LandmarkModel:
    """The landmark model; None if the workspace has no scheme."""

    standing: ShownStanding | None


def landmark_router(context: AppContext) -> APIRouter:
    """``/data/landmarks`` and the routes below it."""
    router = APIRouter(prefix="/data/landmarks")
    _add_scheme(router, context)
    _add_files(router, context)
    _add_model(router, context)
    return router


def _add_scheme(router: APIRouter, context: AppContext) -> None:
    workspace = context.workspace

    @router.get("")
    def scheme() -> Schemes:
        used = landmark_scheme.current_scheme(workspace)
        revision = "" if used is None else used.revision
        return Schemes(used, revision, [load_scheme(name) for name in shipped()])

    @router.post("/scheme")
    def read(body: TextIn) -> ReadScheme:
        """Read a TOML file; nothing is changed."""
        return ReadScheme(parse_scheme(body.text, body.file))

    @router.post("")
    def use(body: SchemeIn) -> Done:
        if body.name is None:
            landmark_scheme.stop_using(workspace)
            return Done()
        landmark_scheme.use_scheme(
            workspace,
            _asked(body, landmark_scheme.current_scheme(workspace)),
            classes=body.classes,
            thresholds=body.thresholds,
            no_class=body.no_class,
        )
        return Done()


def _asked(body: SchemeIn, used: Scheme | None) -> Scheme:
    """The requested scheme; a path is accepted on the command line only. Raises UserError."""
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
    def read_file(body: TextIn, who: Signer) -> ShownImport:
        content = body.text.encode()
        return _outcome(landmark_files.import_content(workspace, content, body.file, who.name))

    @router.post("/captions")
    def read_captions(who: Signer) -> ShownImport:
        return _outcome(landmark_files.import_captions(workspace, who.name))

    @router.get("/export")
    def export(format: Format = "csv") -> Response:
        suffix = ENDINGS[format]
        return attachment(landmark_files.exported(workspace, suffix).content, f"landmarks{suffix}")

    @router.post("/correction")
    def correct(body: CorrectionIn, who: Signer) -> Corrected:
        found = correct_test_landmarks(workspace, body.image_id, body.points, who.name, body.reason)
        return Corrected(label=found.label)


def _outcome(found: LandmarkImport) -> ShownImport:
    return extended(
        ShownImport, found, skipped=found.skipped[:MOST_SKIPPED], skipped_count=len(found.skipped)
    )


def _add_model(router: APIRouter, context: AppContext) -> None:
    workspace = context.workspace

    @router.get("/model")
    def model() -> LandmarkModel:
        found = standing(workspace)
        return LandmarkModel(None if found is None else _standing(found))

    @router.post("/model")
    def train(who: Signer) -> Queued:
        return Queued(job=landmark_request.submit(workspace))


def _standing(found: Standing) -> ShownStanding:
    job = None if found.job is None else _training_job(found.job)
    return ShownStanding(found.scheme, found.placed, found.needed, found.new, job, found.report)


def _training_job(job: Job) -> TrainingJob:
    return TrainingJob(job.id, job.state, job.done, job.total, job.note, job.error)
