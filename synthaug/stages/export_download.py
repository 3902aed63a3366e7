"""Exports in the app: a job that writes one, and its folder as a ZIP file to download."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from synthaug.errors import ExportFailed, UnknownName
from synthaug.exporters import load_exporter
from synthaug.names import alternatives, first_free
from synthaug.records import Json
from synthaug.running.jobs import JobContext
from synthaug.stages.export import export
from synthaug.stages.job_records import ExportJobResult, ExportParams
from synthaug.store import jobs, views
from synthaug.workspace import Workspace

CHUNK = 1024 * 1024  # bytes


class _Pipe(io.RawIOBase):
    """An unseekable stream that holds what was written until it is taken."""

    def __init__(self) -> None:
        self.held = bytearray()

    def writable(self) -> bool:
        """True: the stream can only be written to."""
        return True

    def write(self, data: Any) -> int:
        """Append bytes."""
        self.held += data
        return len(data)

    def take(self) -> bytes:
        """The bytes that were written since the last call."""
        taken = bytes(self.held)
        self.held.clear()
        return taken


def submit(workspace: Workspace, view: str, format: str) -> int:
    """Queue an export to the folder exports/ of the workspace; returns the id of the job. Raises UnknownName."""
    views.by_name(workspace.db, view)
    load_exporter(format)
    return jobs.submit(workspace.db, "export", ExportParams(view, format).to_json(), 0)


def run(context: JobContext) -> Json:
    """Run the job; if the folder exists, a numbered one is created."""
    workspace, params = context.workspace, ExportParams.from_json(context.job.params)
    name, exports = f"{_safe(params.view)}-{params.format}", workspace.root / "exports"
    folder = exports / first_free(alternatives(name), lambda each: (exports / each).exists())
    context.progress(0, 1, f"writing {folder.name}")
    result = export(workspace, folder, params.format, params.view)
    return ExportJobResult(str(folder), result.images).to_json()


def exported_folder(workspace: Workspace, export_id: int) -> Path:
    """The folder of an export. Raises UnknownName, and ExportFailed if it is not in the workspace or was deleted."""
    found = {each.id: Path(each.path) for each in views.all_exports(workspace.db)}
    if export_id not in found:
        raise UnknownName("export", str(export_id), map(str, found))
    folder = found[export_id]
    if not in_workspace(workspace, folder):
        raise ExportFailed(
            f"export {export_id} was written to {folder}, outside of the workspace; copy it from there"
        )
    if not (folder / "manifest.json").is_file():
        raise ExportFailed(f"export {export_id} is no longer in {folder}; export the view again")
    return folder


def in_workspace(workspace: Workspace, folder: Path) -> bool:
    """Whether a folder is in the folder exports/ of the workspace."""
    return folder.resolve().is_relative_to((workspace.root / "exports").resolve())


def zipped(folder: Path) -> Iterator[bytes]:
    """The folder as a ZIP file in parts, without compression (images are compressed) and without links."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(each for each in folder.rglob("*") if each.is_file() and not each.is_symlink()):
            name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
            with path.open("rb") as source, archive.open(name, "w", force_zip64=True) as target:
                while chunk := source.read(CHUNK):
                    target.write(chunk)
                    yield pipe.take()
    yield pipe.take()


def _safe(view: str) -> str:
    """The name of a view as part of a file name."""
    return "".join(each if each.isalnum() or each in "-_" else "-" for each in view)[:80]
