"""A workspace: a directory that holds everything, and can be copied as a whole.

synthaug.db (SQLite), images/ (PNG by pixel hash), models/ (safetensors), runs/, exports/.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from synthaug.config import DATABASE_FILE, FOLDERS, PRESETS
from synthaug.errors import UnknownName, UserError, WorkspaceError, WorkspaceInUse, explain_os_error
from synthaug.store import catalog
from synthaug.store.database import Database
from synthaug.store.image_store import ImageStore

LOCK_FILE = "worker.lock"
MAX_CLASS_NAME = 200
MAX_CLASSES = 255  # a class is one byte where many images travel at once


class Workspace:
    """An open workspace. Usable from any thread."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.db = Database(root / DATABASE_FILE)
        self.images = ImageStore(root / "images")
        self.features_folder = root / "features"

    @classmethod
    def create(cls, root: Path, classes: Sequence[str], preset: str | None = None) -> Workspace:
        """Make a new workspace with these classes, or a preset's. Raises UserError, WorkspaceError."""
        if preset is not None:
            if preset not in PRESETS:
                raise UnknownName("preset", preset, PRESETS)
            classes = PRESETS[preset]
        check_class_names(classes)
        if (root / DATABASE_FILE).exists():
            raise WorkspaceError(f"{root} is a workspace already; choose another directory")
        try:
            for folder in FOLDERS:
                (root / folder).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise explain_os_error(error, root) from error
        workspace = cls(root)
        with workspace.db.transaction():
            workspace.db.migrate()
            catalog.add_classes(workspace.db, list(classes))
            catalog.set_setting(workspace.db, "preset", preset or "")
        return workspace

    @classmethod
    def open(cls, root: Path) -> Workspace:
        """Open an existing workspace. Raises WorkspaceError."""
        if not (root / DATABASE_FILE).is_file():
            raise WorkspaceError(
                f"no workspace at {root}; make one with: synthaug init {root} --preset digits"
            )
        workspace = cls(root)
        workspace.db.migrate()
        return workspace

    @property
    def name(self) -> str:
        """The directory's name."""
        return self.root.resolve().name

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of their indices."""
        return catalog.class_names(self.db)

    @property
    def preset(self) -> str:
        """The preset it was made from, or ""."""
        return catalog.get_setting(self.db, "preset") or ""

    @contextmanager
    def lock(self, purpose: str) -> Iterator[None]:
        """Be the one process that works this workspace's jobs. Raises WorkspaceInUse naming who holds it."""
        with self._open_lock_file() as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise WorkspaceInUse(
                    f"{self.root} is in use by {_holder(handle)}; close that first"
                ) from error
            handle.seek(0)
            handle.truncate()
            json.dump({"pid": os.getpid(), "purpose": purpose}, handle)
            handle.flush()
            yield

    def _open_lock_file(self) -> Any:
        path = self.root / LOCK_FILE
        try:
            return path.open("a+", encoding="utf-8")
        except OSError as error:
            raise explain_os_error(error, path) from error


def check_class_names(names: Sequence[str]) -> None:
    """Refuse empty, repeated, overlong or unprintable class names. Raises UserError."""
    if not names:
        raise UserError("a workspace needs at least one class: --classes a,b or --preset digits")
    if len(names) > MAX_CLASSES:
        raise UserError(f"{len(names)} classes were given; a workspace takes at most {MAX_CLASSES}")
    for name in names:
        if not name.strip():
            raise UserError(f"class name {name!r} is empty; every class needs a visible name")
        if len(name) > MAX_CLASS_NAME or any(ord(each) < 32 or ord(each) == 127 for each in name):
            raise UserError(
                f"class name {name[:40]!r} has control characters or more than {MAX_CLASS_NAME} characters"
            )
    if len(set(names)) != len(names):
        twice = next(name for name in names if list(names).count(name) > 1)
        raise UserError(f"class {twice!r} is named twice; class names must differ")


def _holder(handle: Any) -> str:
    handle.seek(0)
    try:
        holder = json.loads(handle.read())
    except ValueError:
        return "another synthaug"
    return f"synthaug {holder['purpose']} (process {holder['pid']})"
