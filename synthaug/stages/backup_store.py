"""A backup on disk: files named by the SHA-256 of their content, and a manifest with the path of each.

Files under ``objects/ab/abcdef...`` never change. The manifest is replaced atomically after all its files are on the
disk, so that an interrupted backup leaves the previous one intact.
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
from synthaug.files import PARTIAL, file_sha256, new_file, remove_leftovers, sync, sync_all, write_atomically

MANIFEST = "manifest.json"
OBJECTS = "objects"
VERSION = 1


@dataclass(frozen=True, slots=True)
class BackedUpFile:
    """The content of one file, by hash and size in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class BackupManifest:
    """The content of a backup."""

    workspace: str  # identity of the workspace, see :func:`.checks.made_at`
    made_at: str
    counts: Mapping[str, int]  # rows of each kind in the database
    files: Mapping[str, BackedUpFile]  # by path in the workspace

    def below(self, path: Path) -> dict[str, BackedUpFile]:
        """The file at a path in the workspace, or all files in the folder at that path."""
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
        """Raises WorkspaceError for a folder that contains anything other than a backup."""
        names = {path.name for path in self.root.iterdir()} if self.root.is_dir() else set()
        strange = sorted(name for name in names if name not in (MANIFEST, OBJECTS) and PARTIAL not in name)
        if strange:
            raise WorkspaceError(
                f"{self.root} contains {strange[0]!r}, which does not belong to a backup; choose a new folder"
            )

    def manifest(self) -> BackupManifest:
        """Read the manifest. Raises WorkspaceError if it is missing or damaged."""
        path = self.root / MANIFEST
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            return _parsed(data)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise WorkspaceError(f"{self.root} is not a finished backup: it has no {MANIFEST}") from error
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise WorkspaceError(f"{path} is damaged or not the manifest of a backup: {error}") from error

    def path(self, file: BackedUpFile) -> Path:
        """The path of a file in the backup."""
        return self.root / OBJECTS / file.sha256[:2] / file.sha256

    def holds(self, file: BackedUpFile) -> bool:
        """Whether the backup has a file, judged by its size."""
        path = self.path(file)
        return path.is_file() and path.stat().st_size == file.size

    def put(self, source: Path) -> tuple[BackedUpFile, bool]:
        """Store a file; returns its hash and size, and whether it was new. Raises WorkspaceError."""
        file = BackedUpFile(file_sha256(source), source.stat().st_size)
        if self.holds(file):
            return file, False
        copy_checked(source, self.path(file), file)
        self._unsynced.add(self.path(file))
        return file, True

    def publish(self, manifest: BackupManifest) -> None:
        """Sync all stored files to disk, write the manifest and remove files that it does not list."""
        sync_all(sorted({*self._unsynced, *(path.parent for path in self._unsynced)}))
        self._unsynced.clear()
        if (self.root / OBJECTS).is_dir():
            sync(self.root / OBJECTS)
        data = {"version": VERSION, "synthaug_version": __version__, **asdict(manifest)}
        write_atomically(self.root / MANIFEST, json.dumps(data, indent=1).encode(), durable=True)
        self.clear(manifest)

    def clear(self, manifest: BackupManifest) -> None:
        """Remove files that the manifest does not list, and leftovers of killed backups."""
        wanted = {file.sha256 for file in manifest.files.values()}
        folders = list((self.root / OBJECTS).glob("*"))
        remove_leftovers([self.root, *folders])
        for path in (self.root / OBJECTS).glob("*/*"):
            if path.name not in wanted and PARTIAL not in path.name:
                path.unlink()


def copy_checked(source: Path, destination: Path, expected: BackedUpFile, *, durable: bool = False) -> None:
    """Copy a file atomically and check its hash.

    Raises WorkspaceDamaged for a different hash, FileNotFoundError for a missing file, and WorkspaceError for a full
    disk.
    """
    with source.open("rb") as file, new_file(destination, durable=durable) as copy:
        shutil.copyfileobj(file, copy, 1 << 20)
        copy.flush()
        found = file_sha256(Path(copy.name))
        if found != expected.sha256:
            raise WorkspaceDamaged(
                source, [f"its content differs from what was stored (SHA-256 {found[:12]}...)"]
            )


def _parsed(data: Any) -> BackupManifest:
    """The manifest from parsed JSON. Raises ValueError, KeyError, TypeError or AttributeError for anything else."""
    if data["version"] != VERSION:
        raise ValueError(f"its version is {data['version']!r}; this release reads {VERSION}")
    files = {
        str(name): BackedUpFile(str(each["sha256"]), int(each["size"]))
        for name, each in data["files"].items()
    }
    for name, file in files.items():
        parts = PurePosixPath(name).parts
        if PurePosixPath(name).is_absolute() or ".." in parts or not parts:
            raise ValueError(f"the path {name!r} is outside of the workspace")
        if not re.fullmatch(r"[0-9a-f]{64}", file.sha256):
            raise ValueError(f"{name!r} has the invalid SHA-256 {file.sha256!r:.80}")
    counts = {str(key): int(value) for key, value in data["counts"].items()}
    return BackupManifest(str(data["workspace"]), str(data["made_at"]), counts, files)
