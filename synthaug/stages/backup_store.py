"""A backup on disk: files by the SHA-256 of their bytes, and the manifest that says where each belongs.

``objects/ab/abcdef...`` never change. The manifest is replaced in one step when all that it names is on the disk, so
a backup that is stopped leaves the one before as it was.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from synthaug import __version__
from synthaug.errors import WorkspaceDamaged, WorkspaceError
from synthaug.files import PARTIAL, file_sha256, new_file, remove_leftovers, sync, write_atomically

MANIFEST = "manifest.json"
OBJECTS = "objects"
VERSION = 1


@dataclass(frozen=True, slots=True)
class BackedUpFile:
    """The bytes of one file."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class BackupManifest:
    """What a backup holds. ``files``: by path in the workspace; ``workspace``: see :func:`.checks.made_at`."""

    workspace: str
    made_at: str
    counts: Mapping[str, int]
    files: Mapping[str, BackedUpFile]

    def below(self, path: Path) -> dict[str, BackedUpFile]:
        """The file at a path of the workspace, or those of the folder there."""
        wanted = path.as_posix()
        return {
            name: each for name, each in self.files.items() if name == wanted or name.startswith(f"{wanted}/")
        }


class BackupStore:
    """The folder of a backup."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._unsynced: set[Path] = set()

    def refuse_other(self) -> None:
        """Refuse a folder that holds something else than a backup. Raises WorkspaceError."""
        names = {path.name for path in self.root.iterdir()} if self.root.is_dir() else set()
        strange = sorted(name for name in names if name not in (MANIFEST, OBJECTS) and PARTIAL not in name)
        if strange:
            raise WorkspaceError(
                f"{self.root} holds {strange[0]!r}, which is no part of a backup; choose a new folder"
            )

    def manifest(self) -> BackupManifest:
        """What the backup holds. Raises WorkspaceError."""
        path = self.root / MANIFEST
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            return _parsed(data)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise WorkspaceError(f"no {MANIFEST} in {self.root}: it is no (finished) backup") from error
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise WorkspaceError(f"{path} is damaged, or no backup's: {error}") from error

    def path(self, file: BackedUpFile) -> Path:
        """Where these bytes lie."""
        return self.root / OBJECTS / file.sha256[:2] / file.sha256

    def holds(self, file: BackedUpFile) -> bool:
        """Whether these bytes are here, judged by their number."""
        path = self.path(file)
        return path.is_file() and path.stat().st_size == file.size

    def put(self, source: Path) -> tuple[BackedUpFile, bool]:
        """Store a file's bytes; returns them and whether they are new here. Raises WorkspaceError."""
        file = BackedUpFile(file_sha256(source), source.stat().st_size)
        if self.holds(file):
            return file, False
        copy_checked(source, self.path(file), file)
        self._unsynced.add(self.path(file))
        return file, True

    def publish(self, manifest: BackupManifest) -> None:
        """Make what was put durable, let the manifest name it, and drop what it does not name."""
        for path in sorted({*self._unsynced, *(path.parent for path in self._unsynced)}):
            sync(path)
        self._unsynced.clear()
        if (self.root / OBJECTS).is_dir():
            sync(self.root / OBJECTS)
        data = {"version": VERSION, "synthaug_version": __version__, **asdict(manifest)}
        write_atomically(self.root / MANIFEST, json.dumps(data, indent=1).encode(), durable=True)
        self.clear(manifest)

    def clear(self, manifest: BackupManifest) -> None:
        """Remove objects that the manifest does not name, and what killed backups left."""
        wanted = {file.sha256 for file in manifest.files.values()}
        folders = list((self.root / OBJECTS).glob("*"))
        remove_leftovers([self.root, *folders])
        for path in (self.root / OBJECTS).glob("*/*"):
            if path.name not in wanted and PARTIAL not in path.name:
                path.unlink()


def copy_checked(source: Path, destination: Path, expected: BackedUpFile, *, durable: bool = False) -> None:
    """Copy a file that must have these bytes; ``destination`` appears whole or not at all.

    Raises WorkspaceDamaged for other bytes, FileNotFoundError for none, WorkspaceError on a full disk.
    """
    with source.open("rb") as file, new_file(destination, durable=durable) as copy:
        shutil.copyfileobj(file, copy, 1 << 20)
        copy.flush()
        found = file_sha256(Path(copy.name))
        if found != expected.sha256:
            raise WorkspaceDamaged(
                source, [f"it holds other bytes than were stored (SHA-256 {found[:12]}...)"]
            )


def _parsed(data: Any) -> BackupManifest:
    """A manifest as a record. Raises ValueError and its like for what is none."""
    if data["version"] != VERSION:
        raise ValueError(f"its version is {data['version']!r}; this release reads {VERSION}")
    files = {
        str(name): BackedUpFile(str(each["sha256"]), int(each["size"]))
        for name, each in data["files"].items()
    }
    for name, file in files.items():
        parts = PurePosixPath(name).parts
        if PurePosixPath(name).is_absolute() or ".." in parts or not parts:
            raise ValueError(f"the path {name!r} leads out of the workspace")
        if not re.fullmatch(r"[0-9a-f]{64}", file.sha256):
            raise ValueError(f"{name!r} has the SHA-256 {file.sha256!r:.80}")
    counts = {str(key): int(value) for key, value in data["counts"].items()}
    return BackupManifest(str(data["workspace"]), str(data["made_at"]), counts, files)
