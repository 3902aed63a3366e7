"""The routes of the import: an upload in parts, a survey of what a source contains, and the import itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Literal, TypeVar

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from PIL import Image
from pydantic import BaseModel, Field

from synthaug.errors import UnknownName, UserError
from synthaug.reading.import_outcome import rejected_table
from synthaug.reading.import_survey import Survey, samples, survey
from synthaug.records import Origin, Split
from synthaug.stages import handlers, uploads
from synthaug.stages.class_map import ClassMap
from synthaug.stages.uploads import Staging, Upload
from synthaug.workspace import Workspace

from .context import AppContext
from .media import small_webp
from .replies import Done, Queued, attachment, extended

Shown = TypeVar("Shown", bound="ShownUpload")

SAMPLE_SIZE = 96  # pixels
KEPT_SURVEYS = 4
MOST_NAMES = 100_000
FRESH = {"Cache-Control": "no-store"}


class SourceIn(BaseModel):
    """A source of images: an upload, or a path on the machine that runs the app."""

    upload: str | None = Field(None, max_length=40)
    path: str | None = Field(None, max_length=4000)
    format: str = Field("auto", max_length=40)


class ImportIn(SourceIn):
    """An import with the choices of the mapping step; see ``ClassMap`` and ``import_images``."""

    split: Split | None = None
    origin: Origin = "real"
    hold_out: float = Field(0.0, ge=0, le=0.9)
    classes: dict[str, str | None] = Field(default_factory=dict, max_length=MOST_NAMES)
    skip: list[str] = Field(default_factory=list, max_length=MOST_NAMES)
    add: list[str] = Field(default_factory=list, max_length=MOST_NAMES)


class FinishIn(BaseModel):
    """How much was sent, to check that nothing is missing."""

    files: int = Field(ge=1)
    bytes: int = Field(ge=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownUpload:
    """An upload as a page shows it; ``complete``: everything has arrived and is unpacked."""

    id: str
    complete: bool
    title: str
    files: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldUpload(ShownUpload):
    """An upload with the number of bytes that have arrived, by path: the browser resumes from there."""

    sizes: dict[str, int]


@dataclass(frozen=True, slots=True)
class Uploads:
    """The uploads that have not been imported yet, oldest first."""

    uploads: list[ShownUpload]


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun(Done):
    """The id of a new upload."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartTaken(Done):
    """How many bytes of the file have arrived."""

    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished(ShownUpload):
    """An upload that is complete."""

    ok: Literal[True] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSurvey(Survey):
    """What a source contains; ``key`` identifies this survey when its samples are requested."""

    key: int
    ok: Literal[True] = True


def upload_router(staging: Staging) -> APIRouter:
    """``/data/uploads``: begin, send parts, finish, discard; for owners."""
    router = APIRouter(prefix="/data/uploads")

    @router.get("")
    def waiting() -> Uploads:
        return Uploads([_shown(ShownUpload, each) for each in staging.open()])

    @router.post("")
    def begin() -> Begun:
        return Begun(id=staging.begin())

    @router.get("/{upload}")
    def held(upload: str) -> HeldUpload:
        state = staging.state(upload)
        return _shown(HeldUpload, state, sizes=state.sizes)

    @router.post("/part")
    async def part(
        request: Request,
        upload: str,
        path: str = Query(max_length=1000),
        offset: int = Query(ge=0, le=uploads.MAX_FILE_BYTES),
    ) -> PartTaken:
        data = await request.body()
        return PartTaken(size=await run_in_threadpool(staging.write, upload, path, offset, data))

    @router.post("/{upload}/finish")
    def finish(upload: str, body: FinishIn) -> Finished:
        return _shown(Finished, staging.finish(upload, body.files, body.bytes))

    @router.post("/{upload}/discard")
    def discard(upload: str) -> Done:
        staging.discard(upload)
        return Done()

    return router


def import_router(context: AppContext, staging: Staging) -> APIRouter:
    """``/data/imports``: survey a source, show samples of it, import it, list what was rejected; for owners."""
    router = APIRouter(prefix="/data/imports")
    looked_at = _LookedAt()

    @router.post("/survey")
    def look(body: SourceIn) -> ShownSurvey:
        source = _path(context.workspace, body)
        found = survey(context.workspace, source, body.format)
        return extended(ShownSurvey, found, key=looked_at.keep(source, found))

    @router.get("/sample")
    def sample(key: int, entry: str = Query(max_length=4000)) -> Response:
        return Response(looked_at.sample(key, entry), media_type="image/webp", headers=FRESH)

    @router.get("/{job_id}/rejected")
    def rejected(job_id: int) -> Response:
        table = rejected_table(context.workspace, job_id)
        return attachment(table.encode(), f"not-imported-{job_id}.csv")

    @router.post("")
    def begin(body: ImportIn) -> Queued:
        source = str(_path(context.workspace, body))
        if body.upload is not None:
            source = staging.state(body.upload).title
        job = handlers.submit_import(
            context.workspace,
            source,
            body.format,
            body.split,
            body.origin,
            ClassMap(body.classes, tuple(body.skip), tuple(body.add)),
            body.hold_out,
            body.upload,
        )
        return Queued(job=job)

    return router


def _path(workspace: Workspace, source: SourceIn) -> Path:
    """The path of what is to be read. Raises UserError."""
    if (source.upload is None) == (source.path is None):
        raise UserError("give either an upload or a path")
    if source.upload is not None:
        return uploads.source(workspace, source.upload)
    if not str(source.path).strip():
        raise UserError("enter a path to import from, or the word digits")
    return Path(str(source.path).strip())


def _shown(kind: type[Shown], upload: Upload, **more: dict[str, int]) -> Shown:
    return kind(
        id=upload.id,
        complete=upload.complete,
        title=upload.title,
        files=len(upload.sizes),
        bytes=sum(upload.sizes.values()),
        **more,
    )


class _LookedAt:
    """The latest surveys with thumbnails of their samples; other entries of a source cannot be requested."""

    def __init__(self) -> None:
        self._surveys: dict[int, tuple[Path, Survey, dict[str, bytes]]] = {}
        self._lock = Lock()
        self._last = 0

    def keep(self, source: Path, found: Survey) -> int:
        """Remember a survey; returns its key."""
        with self._lock:
            self._last += 1
            self._surveys[self._last] = (source, found, {})
            self._surveys.pop(self._last - KEPT_SURVEYS, None)
            return self._last

    def sample(self, key: int, entry: str) -> bytes:
        """A WebP of a sample. Raises UnknownName."""
        with self._lock:
            if key not in self._surveys:
                raise UnknownName("survey", str(key), ())
            source, found, pictures = self._surveys[key]
            if entry not in pictures:
                pictures |= _pictures(source, found, entry)
            if entry not in pictures:
                raise UnknownName("sample that can be shown", entry[:100], ())
            return pictures[entry]


def _pictures(source: Path, found: Survey, entry: str) -> dict[str, bytes]:
    """The samples of the entry's class; for a file with many images all samples, so that it is read only once."""
    groups = [each for each in found.groups if entry in each.samples]
    if groups and found.format not in ("folder", "image"):
        groups = list(found.groups)
    paths = [path for group in groups for path in group.samples]
    read = samples(source, found.format, paths) if paths else {}
    return {path: small_webp(Image.fromarray(pixels), SAMPLE_SIZE) for path, pixels in read.items()}
