"""A workspace: a directory that holds all data of a project and can be copied as a whole.

It contains synthaug.db (SQLite), images/ (PNG files named by pixel hash), models/ (safetensors), runs/ and exports/.
Where the images are kept behind a URL, which the database names, images/ is their cache.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from synthaug.config import DATABASE_FILE, FOLDERS, PRESETS
from synthaug.errors import UnknownName, UserError, WorkspaceError, WorkspaceInUse, explain_os_error
from synthaug.files import JOURNALS, new_file, remove_leftovers, turns
from synthaug.storage import UrlFolder
from synthaug.store import catalog
from synthaug.store.checks import is_blank
from synthaug.store.database import Database
from synthaug.store.image_store import ImageStore

LOCK_FILE = "worker.lock"
IMAGES_SETTING = "images"
TRIAL = ".synthaug-can-write"
ORPHAN_SECONDS = 5.0  # within which the worker of a killed app ends
RESTORE = "restore it from a backup: synthaug restore BACKUP NEW"
MAX_CLASS_NAME = 200
MAX_CLASSES = 255  # the map sends the class of each image as one byte


class Workspace:
    """An open workspace; it can be used from any thread."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.db = Database(root / DATABASE_FILE)
        self.images = ImageStore(root / "images")
        self.features_folder = root / "features"

    @classmethod
    def create(
        cls, root: Path, classes: Sequence[str], preset: str | None = None, *, images: str = ""
    ) -> Workspace:
        """Create a workspace with these class names or those of a preset.

        ``images``: the URL of the folder in which images are kept, such as s3://bucket/folder; by default they are
        kept in the workspace. Raises UserError and WorkspaceError.
        """
        if preset is not None:
            if preset not in PRESETS:
                raise UnknownName("preset", preset, PRESETS)
            classes = PRESETS[preset]
        check_class_names(classes)
        if images:
            check_images_url(images)
        try:
            for folder in FOLDERS:
                (root / folder).mkdir(parents=True, exist_ok=True)
            with turns(root):
                _refuse_filled(root)
                remove_leftovers([root])
                with new_file(root / DATABASE_FILE, durable=True) as file:
                    _fill(Database(Path(file.name)), classes, preset, images)
        except OSError as error:
            raise explain_os_error(error, root) from error
        return cls.open(root)

    @classmethod
    def open(cls, root: Path) -> Workspace:
        """Open an existing workspace, and migrate its database if needed. Raises WorkspaceError."""
        path = root / DATABASE_FILE
        if not path.is_file():
            if ImageStore(root / "images").is_empty():
                raise WorkspaceError(
                    f"there is no workspace at {root}; create one with: synthaug init {root} --preset digits"
                )
            raise WorkspaceError(f"{path} is missing, although there are images; {RESTORE}")
        workspace = cls(root)
        if is_blank(workspace.db):
            retry = f"repeat the command that was interrupted: synthaug init {root}"
            raise WorkspaceError(f"{path} is empty; {retry if workspace.images.is_empty() else RESTORE}")
        workspace.db.migrate()
        if url := catalog.get_setting(workspace.db, IMAGES_SETTING):
            workspace.images = ImageStore(workspace.images.root, url)
        return workspace

    def remove_leftovers(self) -> list[Path]:
        """Remove and return the files that killed processes left half written."""
        folders = [self.root, *(self.root / each for each in (*FOLDERS, "features")), *self.images.folders()]
        return remove_leftovers(folders)

    @property
    def name(self) -> str:
        """The name of the directory."""
        return self.root.resolve().name

    @property
    def read_only(self) -> bool:
        """Whether the workspace may not be written to; it can still be viewed and verified."""
        return self.db.read_only

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of their indices."""
        return catalog.class_names(self.db)

    @property
    def preset(self) -> str:
        """The preset it was created from, or ""."""
        return catalog.get_setting(self.db, "preset") or ""

    @contextmanager
    def lock(self, purpose: str) -> Iterator[int | None]:
        """Hold the lock that lets only one process run the jobs of this workspace.

        Gives the lock's descriptor, which a child process may share; None for a read-only workspace, which runs no
        jobs and needs no lock. Raises WorkspaceInUse, naming the process that holds it.
        """
        if self.read_only:
            yield None
            return
        with self._open_lock_file() as handle:
            self._take(handle)
            handle.seek(0)
            handle.truncate()
            json.dump({"pid": os.getpid(), "purpose": purpose}, handle)
            handle.flush()
            self.remove_leftovers()
            yield handle.fileno()

    def _take(self, handle: TextIO) -> None:
        """Take the lock; if its app was killed, wait for the worker to end. Raises WorkspaceInUse."""
        deadline = time.monotonic() + ORPHAN_SECONDS
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                holder = _Holder.read(handle)
                if holder.is_alive() or time.monotonic() > deadline:
                    raise WorkspaceInUse(f"{self.root} is in use by {holder}; close that first") from error
                time.sleep(0.05)
            else:
                return

    def _open_lock_file(self) -> TextIO:
        path = self.root / LOCK_FILE
        try:
            return path.open("a+", encoding="utf-8")
        except OSError as error:
            raise explain_os_error(error, path) from error


def _refuse_filled(root: Path) -> None:
    """Raises WorkspaceError for a folder that holds a workspace or images; removes what a killed init left."""
    path = root / DATABASE_FILE
    if path.exists() and not is_blank(Database(path)):
        raise WorkspaceError(f"{root} is already a workspace; choose another directory")
    if not ImageStore(root / "images").is_empty():
        raise WorkspaceError(f"{root} holds images but no database; {RESTORE}")
    for journal in JOURNALS:
        path.with_name(path.name + journal).unlink(missing_ok=True)


def check_images_url(url: str) -> None:
    """Raises UserError for what is no URL of a folder, and WorkspaceError if it cannot be written to."""
    if "://" not in url or url.startswith("file:"):
        raise UserError(
            f"--images {url!r} is not the URL of an object store, such as s3://bucket/folder; images on a disk are "
            "kept in the workspace itself"
        )
    folder = UrlFolder(url)
    folder.write(TRIAL, b"")
    folder.remove(TRIAL)


def _fill(db: Database, classes: Sequence[str], preset: str | None, images: str) -> None:
    """Create the schema and store the classes, the preset and the URL of the images."""
    with db.transaction():
        db.migrate()
        catalog.add_classes(db, list(classes))
        catalog.set_setting(db, "preset", preset or "")
        if images:
            catalog.set_setting(db, IMAGES_SETTING, images)
    db.settle()
    db.close()


def check_class_names(names: Sequence[str]) -> None:
    """Raises UserError for empty, repeated, overlong or unprintable class names."""
    if not names:
        raise UserError("a workspace needs at least one class: --classes a,b or --preset digits")
    if len(names) > MAX_CLASSES:
        raise UserError(f"{len(names)} classes were given; a workspace has at most {MAX_CLASSES}")
    for name in names:
        if not name.strip():
            raise UserError(f"class name {name!r} is empty; every class needs a visible name")
        if len(name) > MAX_CLASS_NAME or any(ord(each) < 32 or ord(each) == 127 for each in name):
            raise UserError(
                f"class name {name[:40]!r} has control characters or more than {MAX_CLASS_NAME} characters"
            )
    if len(set(names)) != len(names):
        twice = next(name for name in names if list(names).count(name) > 1)
        raise UserError(f"class {twice!r} is given twice; class names must differ")


@dataclass(frozen=True, slots=True)
class _Holder:
    """The process that holds the lock, as recorded in the lock file."""

    purpose: str = ""
    pid: int = 0

    @classmethod
    def read(cls, handle: TextIO) -> _Holder:
        handle.seek(0)
        try:
            return cls(**json.loads(handle.read()))
        except (ValueError, TypeError):
            return cls()

    def is_alive(self) -> bool:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except OSError:
            return True
        return True

    def __str__(self) -> str:
        return f"synthaug {self.purpose} (process {self.pid})" if self.pid else "another synthaug process"
