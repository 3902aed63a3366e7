"""All routes of the app itself, the points of the map, and how an error becomes a reply."""

from __future__ import annotations

import json
from functools import lru_cache

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response

from synthaug.errors import ImageLost, LabelRefused, UnknownName, UserError, WorkspaceError
from synthaug.reading import explore
from synthaug.stages.uploads import Staging

from .context import AppContext
from .health_routes import health_router
from .import_routes import import_router, upload_router
from .job_routes import jobs_router
from .label_routes import label_router
from .landmark_routes import landmark_router
from .map_routes import map_router
from .media import media_router
from .modules import modules_router
from .points import encode_points
from .queue_routes import queue_router
from .reading_routes import reading_router
from .run_routes import runs_router


def add_routes(app: FastAPI, context: AppContext) -> None:
    """Add all routes, which must be declared before Gradio is mounted at "/"."""
    app.include_router(modules_router())
    app.include_router(media_router(context.workspace))
    app.include_router(queue_router(context))
    app.include_router(label_router(context))
    app.include_router(reading_router(context))
    app.include_router(landmark_router(context))
    app.include_router(_points_router(context))
    app.include_router(map_router(context))
    app.include_router(health_router(context))
    staging = Staging(context.workspace)
    app.include_router(upload_router(staging))
    app.include_router(import_router(context, staging))
    app.include_router(jobs_router(context))
    app.include_router(runs_router(context))
    app.add_exception_handler(UserError, _user_error)
    app.add_exception_handler(LabelRefused, _refused)
    app.add_exception_handler(RequestValidationError, _validation_error)


def _points_router(context: AppContext) -> APIRouter:
    router = APIRouter(prefix="/data")

    @lru_cache(maxsize=1)
    def encoded(version: str) -> bytes:
        return encode_points(explore.points(context.workspace), context.workspace.classes)

    @router.get("/points")
    def points() -> Response:
        body = encoded(explore.version(context.workspace))
        return Response(body, media_type="application/octet-stream", headers={"Cache-Control": "no-store"})

    return router


async def _user_error(request: Request, error: Exception) -> Response:
    # A client may give up after a 4xx; it must repeat a request that got a 503: the disk is full, the database locked.
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
    """Name the first part of the request that has the wrong type or is missing, with the value that was sent."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type alone
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    seen = json.dumps(first.get("input"), default=str)[:80]
    return JSONResponse({"ok": False, "error": f"{where}: {first['msg']} (got {seen})"}, 422)
