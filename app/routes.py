"""The app's own routes: what the label desk, the scatter and the job strip read and write."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from functools import lru_cache
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from synthaug.errors import ImageLost, LabelRefused, UnknownName, UserError, WorkspaceError
from synthaug.reading.queue_filter import QueueFilter
from synthaug.records import Job, LabelEntry, Landmarks
from synthaug.stages import uploads
from synthaug.stages.readers import Answer
from synthaug.stages.uploads import Staging

from .accounts.person import Person, person, reader_of, signer
from .context import AppContext
from .import_routes import import_router, upload_router
from .landmark_routes import landmark_router
from .map_routes import map_router
from .media import media_router
from .modules import modules_router
from .points import encode_points
from .reading_routes import reading_router
from .run_routes import runs_router

Asking = Annotated[Person, Depends(person)]
Signer = Annotated[Person, Depends(signer)]

MAX_ITEMS = 200
MAX_ENTRIES = 1000
RECENT_JOBS = 20
SHOWN_PARAMS = ("template", "label", "generator", "count", "source", "model", "view", "base", "name")
SHOWN_RESULTS = ("generated", "skipped", "seconds", "added", "duplicates", "model", "cut", "rate", "unit")


class SeenIn(BaseModel):
    """The label that the page showed beside the image."""

    value: Literal["class", "reject", "unsure"]
    class_index: int | None = None


class LandmarksIn(BaseModel):
    """Where the person placed the landmarks, in pixels of the image."""

    scheme: str = Field(max_length=100)
    revision: str = Field(max_length=64)
    points: dict[str, tuple[float, float] | tuple[float, float, float]] = Field(max_length=200)


class LabelIn(BaseModel):
    """One thing the person said about one image."""

    image_id: int = Field(ge=1, lt=2**63)
    value: Literal["class", "reject", "unsure"]
    class_index: int | None = None
    source: Literal["human", "accepted"]
    op_id: str = Field(min_length=8, max_length=64)
    model_id: int | None = Field(None, ge=1, lt=2**63)  # of the prediction that the person saw
    landmarks: LandmarksIn | None = None
    seen: SeenIn | None = None
    settles: bool = False  # the person saw readings that differ, and has the last word

    def answer(self, annotator: str) -> Answer:
        """As the log takes it, signed."""
        placed = None if self.landmarks is None else Landmarks(**self.landmarks.model_dump())
        plain = self.model_dump(exclude={"seen", "settles", "landmarks"})
        entry = LabelEntry(**plain, annotator=annotator, landmarks=placed)
        seen = (None, None) if self.seen is None else (self.seen.value, self.seen.class_index)
        return Answer(entry, seen, self.settles)


class LabelsIn(BaseModel):
    """What the person said since the last request, in order."""

    entries: list[LabelIn] = Field(min_length=1, max_length=MAX_ENTRIES)


class UndoIn(BaseModel):
    """The operation to take back, and the id of this taking back."""

    op_id_to_undo: str
    op_id: str = Field(min_length=8, max_length=64)


class RetiredIn(BaseModel):
    """A slot value to leave out of the next jobs, or to draw again."""

    slot: str = Field(min_length=1, max_length=500)
    value: str = Field(max_length=500)
    retired: bool


def add_routes(app: FastAPI, context: AppContext) -> None:
    """Everything of ours, declared before Gradio is mounted at "/"."""
    app.include_router(modules_router())
    app.include_router(media_router(context.workspace))
    app.include_router(_queue_router(context))
    app.include_router(_label_router(context))
    app.include_router(reading_router(context))
    app.include_router(landmark_router(context))
    app.include_router(_points_router(context))
    app.include_router(map_router(context))
    app.include_router(_health_router(context))
    staging = Staging(context.workspace)
    app.include_router(upload_router(staging))
    app.include_router(import_router(context, staging))
    app.include_router(_jobs_router(context))
    app.include_router(runs_router(context))
    app.add_exception_handler(UserError, _user_error)
    app.add_exception_handler(LabelRefused, _refused)
    app.add_exception_handler(RequestValidationError, _validation_error)


def _queue_router(context: AppContext) -> APIRouter:
    from synthaug.reading import queue, queue_filter

    router = APIRouter(prefix="/data")

    @router.get("/queue")
    def ids(
        who: Asking,
        wanted: Annotated[QueueFilter, Depends()],
        order: str = "newest",
        scope: str = "unreviewed",
        seed: int = 0,
    ) -> dict[str, Any]:
        found = queue.ordered_ids(context.workspace, order, scope, seed, reader_of(who), wanted)
        return {"total": len(found), "ids": found}

    @router.get("/answers")
    def answers(who: Asking, before: int | None = None) -> dict[str, Any]:
        found = queue.answers(context.workspace, reader_of(who), before, MAX_ITEMS)
        return {"answers": [asdict(each) for each in found]}

    @router.get("/annotators")
    def annotators() -> dict[str, Any]:
        return {"names": queue_filter.annotators(context.workspace)}

    @router.get("/redo")
    def redo(who: Asking) -> dict[str, Any]:
        return {"answers": [asdict(each) for each in queue.taken_back(context.workspace, reader_of(who))]}

    @router.get("/items")
    def items(ids: str, who: Asking) -> dict[str, Any]:
        shown = queue.items(context.workspace, parse_ids(ids), reader_of(who))
        return {"items": [asdict(item) for item in shown]}

    return router


def _label_router(context: AppContext) -> APIRouter:
    from synthaug.stages import label, readers, refit

    router = APIRouter(prefix="/data")
    workspace = context.workspace

    @router.post("/labels")
    def labels(body: LabelsIn, who: Signer) -> dict[str, Any]:
        answers = [entry.answer(who.name) for entry in body.entries]
        recorded = readers.answer(workspace, answers, reviewer=who.may("reviewer"))
        refit.refit_if_due(workspace)
        return {"ok": True, "ids": recorded, "progress": progress()}

    @router.post("/undo")
    def undo(body: UndoIn, who: Signer) -> dict[str, Any]:
        own = not who.may("reviewer")
        undone = label.undo(workspace, body.op_id_to_undo, who.name, body.op_id, own=own)
        return {"ok": True, "undone": undone is not None, "progress": progress()}

    @router.get("/progress")
    def progress() -> dict[str, Any]:
        now = refit.state(workspace)
        return {**label.progress(workspace), "refit": None if now is None else asdict(now)}

    return router


def _points_router(context: AppContext) -> APIRouter:
    from synthaug.reading import explore

    router = APIRouter(prefix="/data")

    @lru_cache(maxsize=1)
    def encoded(version: str) -> bytes:
        return encode_points(explore.points(context.workspace), context.workspace.classes)

    @router.get("/points")
    def points() -> Response:
        body = encoded(explore.version(context.workspace))
        return Response(body, media_type="application/octet-stream", headers={"Cache-Control": "no-store"})

    return router


def _health_router(context: AppContext) -> APIRouter:
    from synthaug.reading import template_health
    from synthaug.stages import retire

    router = APIRouter(prefix="/data/health")

    @router.get("")
    def health() -> dict[str, Any]:
        rows = template_health.health(context.workspace)
        return {
            "rows": [asdict(row) for row in rows],
            "sentences": template_health.sentences(rows),
            "retired": [asdict(each) for each in retire.retired(context.workspace)],
        }

    @router.post("/retired")
    def retired(body: RetiredIn, who: Signer) -> dict[str, Any]:
        act = retire.retire if body.retired else retire.take_back
        act(context.workspace, body.slot, body.value, who.name)
        return {"ok": True}

    @router.get("/images")
    def images(slot: str, value: str, trouble: str = "any") -> dict[str, Any]:
        return {"ids": template_health.image_ids(context.workspace, slot, value, trouble)}

    return router


def _jobs_router(context: AppContext) -> APIRouter:
    router = APIRouter(prefix="/data")

    @router.get("/jobs")
    def jobs(who: Asking) -> dict[str, Any]:
        shown = context.jobs.list(RECENT_JOBS) if who.may("reviewer") else []
        return {"jobs": [job_json(job, uploads.is_resumable(context.workspace, job)) for job in shown]}

    @router.post("/jobs/{job_id}/cancel")
    def cancel(job_id: int) -> dict[str, Any]:
        context.jobs.get(job_id)
        context.jobs.cancel(job_id)
        uploads.remove_cancelled(context.workspace, context.jobs.get(job_id))
        return {"ok": True}

    @router.post("/jobs/{job_id}/resume")
    def resume(job_id: int) -> dict[str, Any]:
        uploads.check_resumable(context.workspace, context.jobs.get(job_id))
        context.jobs.resume(job_id)
        return {"ok": True}

    return router


def job_json(job: Job, resumable: bool) -> dict[str, Any]:
    """What a page shows of a job: the row, without the parameters and results that only the stages read."""
    params = {name: job.params[name] for name in SHOWN_PARAMS if name in job.params}
    result = {name: job.result[name] for name in SHOWN_RESULTS if name in job.result}
    return {field.name: getattr(job, field.name) for field in fields(job)} | {
        "params": params,
        "result": {**result, "rejected": len(job.result.get("rejected", ()))},
        "resumable": resumable,
    }


def parse_ids(text: str) -> list[int]:
    """``"1,2,3"`` as image ids. Raises UserError."""
    parts = [part for part in text.split(",") if part]
    if len(parts) > MAX_ITEMS:
        raise UserError(f"{len(parts)} ids were asked for; at most {MAX_ITEMS} at a time")
    for part in parts:
        if not part.isascii() or not part.isdigit() or len(part) > 18:
            raise UserError(f"image id {part[:30]!r} is not a number")
    return [int(part) for part in parts]


async def _user_error(request: Request, error: Exception) -> Response:
    # a client may give up on a 4xx; it must try a 503 again: a full disk, a locked database
    status = (
        404
        if isinstance(error, UnknownName | ImageLost)
        else 503
        if isinstance(error, WorkspaceError)
        else 400
    )
    return JSONResponse({"ok": False, "error": str(error)}, status)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, LabelRefused)  # noqa: S101 - registered for this type alone
    return JSONResponse({"ok": False, "refused": True, "op_id": error.op_id, "error": str(error)}, 422)


async def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type alone
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    seen = json.dumps(first.get("input"), default=str)[:80]
    return JSONResponse({"ok": False, "error": f"{where}: {first['msg']} (got {seen})"}, 422)
