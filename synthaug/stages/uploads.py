"""Uploads from a browser, which are stored in ``uploads/ID/`` of the workspace until they are imported.

Data is only appended to files, and the browser is told how many bytes were received, so that an interrupted upload
resumes. Uploads that were imported or cancelled are removed, and abandoned ones when the app starts again.
"""

from __future__ import annotations

import re
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from synthaug.errors import ImportFailed, UnknownName, UserError, WorkspaceError, explain_os_error
from synthaug.files import new_directory
from synthaug.importers import load_importer
from synthaug.importers.metadata import TABLES
from synthaug.importers.zip_files import safe_path, unpack
from synthaug.names import alternatives, first_free
from synthaug.records import Job
from synthaug.store import jobs
from synthaug.workspace import Workspace

MAX_FILES = 100_000
MAX_FILE_BYTES = 8 * 2**30
MAX_BYTES = 64 * 2**30  # of one upload, packed or unpacked
KEPT_FREE = 2**30  # bytes of the disk that uploads leave free
MAX_OPEN = 8

_ID = re.compile(r"[0-9a-f]{16}")
_CONTAINERS = ("cifar", "parquet")  # formats in which a folder is imported as a whole


@dataclass(frozen=True, slots=True)
class Upload:
    """The state of an upload; ``complete`` means received and unpacked, ``sizes`` are bytes received by path."""

    id: str
    complete: bool
    sizes: dict[str, int]

    @property
    def title(self) -> str:
        """The name of its only file or folder, or the number of files."""
        tops = {path.split("/")[0] for path in self.sizes}
        return tops.pop() if len(tops) == 1 else f"{len(self.sizes):,} files"


class Staging:
    """The uploads of a running app; it can be used from any thread."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lock = Lock()
        self._held: dict[str, dict[str, int]] = {}

    def begin(self) -> str:
        """Start an upload; returns its id. Raises UserError if too many are open."""
        with self._lock:
            if len(self._held) >= MAX_OPEN:
                raise UserError(f"there are {MAX_OPEN} open uploads; import or discard one first")
            upload = secrets.token_hex(8)
            folder = _folder(self._workspace, upload) / "files"
            try:
                folder.mkdir(parents=True)
            except OSError as error:
                raise explain_os_error(error, folder) from error
            self._held[upload] = {}
            return upload

    def open(self) -> list[Upload]:
        """The open uploads, oldest first, without those that are being imported."""
        with self._lock:
            taken = _taken(self._workspace)
            self._held = {
                each: held
                for each, held in self._held.items()
                if each not in taken and _folder(self._workspace, each).is_dir()
            }
            return [self._state(each) for each in self._held]

    def write(self, upload: str, path: str, offset: int, data: bytes) -> int:
        """Append to a file if its size is ``offset``; returns the number of bytes received. Raises UserError."""
        with self._lock:
            held = self._sizes(upload)
            known = held.get(path)
            if (known or 0) != offset or (known == 0 and not data):
                return known or 0
            self._check(held, path, len(data))
            place = _folder(self._workspace, upload) / "files" / _relative(path)
            try:
                place.parent.mkdir(parents=True, exist_ok=True)
                with place.open("xb" if known is None else "ab") as file:
                    file.write(data)
            except OSError as error:
                raise explain_os_error(error, place) from error
            held[path] = offset + len(data)
            return held[path]

    def finish(self, upload: str, files: int, size: int) -> Upload:
        """Complete an upload and unpack its ZIP files. Raises UserError (missing data) or ImportFailed (bad ZIP)."""
        with self._lock:
            held = self._sizes(upload)
            if (len(held), sum(held.values())) != (files, size):
                raise UserError(
                    f"{len(held):,} of {files:,} files and {sum(held.values()):,} of {size:,} bytes have arrived"
                )
            folder = _folder(self._workspace, upload)
            if (folder / "files").is_dir():
                _unpack_all(folder / "files", [path for path in held if path.lower().endswith(".zip")])
                (folder / "files").rename(folder / "complete")
            return self._state(upload)

    def discard(self, upload: str) -> None:
        """Remove an upload, if it exists. Raises UserError while it is being imported."""
        if upload in _taken(self._workspace):
            raise UserError("this upload is being imported; stop the import instead")
        with self._lock:
            self._held.pop(upload, None)
            remove(self._workspace, upload)

    def state(self, upload: str) -> Upload:
        """The state of an upload. Raises UnknownName."""
        with self._lock:
            return self._state(upload)

    def _state(self, upload: str) -> Upload:
        complete = (_folder(self._workspace, upload) / "complete").is_dir()
        return Upload(upload, complete, dict(self._sizes(upload)))

    def _sizes(self, upload: str) -> dict[str, int]:
        if upload not in self._held:
            raise UnknownName("upload", upload[:40], ())
        return self._held[upload]

    def _check(self, held: dict[str, int], path: str, more: int) -> None:
        if path not in held and len(held) >= MAX_FILES:
            raise UserError(f"an upload may have at most {MAX_FILES:,} files")
        if held.get(path, 0) + more > MAX_FILE_BYTES:
            raise UserError(f"{path} is larger than {MAX_FILE_BYTES:,} bytes, the maximum for a file")
        if sum(held.values()) + more > MAX_BYTES:
            raise UserError(
                f"an upload may have at most {MAX_BYTES:,} bytes; upload the remaining files separately"
            )
        if shutil.disk_usage(self._workspace.root).free - more < KEPT_FREE:
            raise WorkspaceError(f"the disk has less than {KEPT_FREE:,} bytes left; free some space")


def source(workspace: Workspace, upload: str) -> Path:
    """The path of a complete upload to import: its only file, or the folder of the classes. Raises UserError."""
    root = _folder(workspace, upload) / "complete"
    if not root.is_dir():
        raise UserError("the files of this upload no longer exist; upload them again")
    while True:
        inside = [each for each in root.iterdir() if not each.name.startswith((".", "__MACOSX"))]
        if len(inside) != 1:
            return root
        if inside[0].is_file():
            return inside[0] if root.name == "complete" else root
        if not _holds_classes(inside[0]):
            return root
        root = inside[0]


def remove(workspace: Workspace, upload: str | None) -> None:
    """Remove the files of an upload, if there are any."""
    if upload is not None:
        shutil.rmtree(_folder(workspace, upload), ignore_errors=True)


def remove_cancelled(workspace: Workspace, job: Job) -> None:
    """Remove the upload of an import that was cancelled before it started."""
    if job.kind == "import" and job.state == "cancelled":
        remove(workspace, job.params.get("upload"))


def is_resumable(workspace: Workspace, job: Job) -> bool:
    """Whether a job can be resumed; an import of an upload only as long as its files exist."""
    upload = job.params.get("upload") if job.kind == "import" else None
    return upload is None or (_folder(workspace, upload) / "complete").is_dir()


def check_resumable(workspace: Workspace, job: Job) -> None:
    """Raises UserError if a job cannot be resumed."""
    if not is_resumable(workspace, job):
        raise UserError("the files of this upload no longer exist; upload them again")


def remove_abandoned(workspace: Workspace) -> None:
    """Remove the uploads of an earlier run of the app, except for those of unfinished imports."""
    if workspace.read_only:
        return
    taken = _taken(workspace)
    for folder in (workspace.root / "uploads").glob("*"):
        if folder.name not in taken:
            shutil.rmtree(folder, ignore_errors=True)


def _taken(workspace: Workspace) -> set[str]:
    """The ids of the uploads of queued and running imports."""
    imports = jobs.latest(workspace.db, kinds=("import",))
    return {
        str(job.params["upload"])
        for job in imports
        if job.params.get("upload") and job.state in ("queued", "running")
    }


def _holds_classes(folder: Path) -> bool:
    """Whether a folder defines classes, by subfolders, a metadata table or a format such as CIFAR."""
    return any(each.is_dir() or each.name in TABLES for each in folder.iterdir()) or any(
        load_importer(name).accepts(folder) for name in _CONTAINERS
    )


def _folder(workspace: Workspace, upload: str) -> Path:
    if _ID.fullmatch(upload) is None:
        raise UnknownName("upload", upload[:40], ())
    return workspace.root / "uploads" / upload


def _relative(path: str) -> Path:
    try:
        return Path(safe_path(path))
    except ValueError as error:
        raise UserError(f"the name {path[:200]!r} cannot be uploaded: {error}") from error


def _unpack_all(files: Path, zips: list[str]) -> None:
    """Unpack each ZIP file, and each ZIP file in it, to a folder with its name beside it; deeper ones are kept."""
    room = _Room(MAX_BYTES, MAX_FILES)
    for path in zips:
        archive = files / path
        if not archive.is_file():  # already unpacked by an earlier request
            continue
        with new_directory(_free(archive.with_suffix("")), "unpack") as folder:
            room.unpack(archive, folder)
            for inner in _zips(folder):
                beside = _free(inner.with_suffix(""))
                room.unpack(inner, beside)
                if deeper := _zips(beside):
                    raise ImportFailed(
                        f"{archive.name} holds {inner.name}, which holds {deeper[0].name}: a zip in a zip is unpacked, "
                        "but none further in; unpack it and upload the folder"
                    )
                inner.unlink()
        archive.unlink()


def _zips(folder: Path) -> list[Path]:
    return sorted(each for each in folder.rglob("*") if each.suffix.lower() == ".zip" and each.is_file())


@dataclass(slots=True)
class _Room:
    """What the zips of one upload may still unpack to."""

    bytes: int
    files: int

    def unpack(self, archive: Path, folder: Path) -> None:
        """Unpack one more. Raises ImportFailed."""
        free = shutil.disk_usage(archive.parent).free - KEPT_FREE
        if free <= 0:
            raise ImportFailed(f"{archive.name} cannot be unpacked: the disk is nearly full; free some space")
        self.files -= unpack(archive, folder, min(self.bytes, free), max_files=self.files)
        self.bytes -= sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())


def _free(folder: Path) -> Path:
    """``folder``, or a numbered one beside it if it exists."""
    return folder.with_name(
        first_free(alternatives(folder.name), lambda name: folder.with_name(name).exists())
    )
