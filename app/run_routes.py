"""The routes of the Runs page: the list, two sides as markup, the images of a cell, and an export as one file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, StreamingResponse

from synthaug.reading import runs
from synthaug.stages.export_download import exported_folder, zipped

from .components.runs.side_by_side import side_by_side
from .context import AppContext


@dataclass(frozen=True, slots=True)
class Entries:
    """Every training run and comparison, newest first."""

    entries: list[runs.Entry]


def runs_router(context: AppContext) -> APIRouter:
    """``/data/runs``, ``/data/runs/sides?left=&right=``, ``/data/runs/images?side=&true=&predicted=``, downloads."""
    router = APIRouter(prefix="/data")
    workspace = context.workspace

    @cache  # views are frozen
    def known(view_id: int) -> runs.Contents:
        return runs.contents(workspace, view_id)

    @router.get("/runs")
    def entries() -> Entries:
        return Entries(runs.entries(workspace, known))

    @router.get("/runs/sides")
    def sides(
        left: Annotated[str, Query(max_length=60)], right: Annotated[str, Query(max_length=60)] = ""
    ) -> HTMLResponse:
        shown = [runs.side(workspace, key, known) for key in (left, right) if key]
        return HTMLResponse(side_by_side(shown, workspace.classes))

    @router.get("/runs/images")
    def images(side: Annotated[str, Query(max_length=60)], true: int, predicted: int) -> runs.Cell:
        return runs.cell(workspace, side, true, predicted)

    @router.get("/exports/{export_id}/download")
    def download(export_id: int) -> StreamingResponse:
        folder = exported_folder(workspace, export_id)

        def parts() -> Iterator[bytes]:
            yield from zipped(folder)

        headers = {"Content-Disposition": f'attachment; filename="export-{export_id}.zip"'}
        return StreamingResponse(parts(), media_type="application/zip", headers=headers)

    return router
