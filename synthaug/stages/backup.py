"""Backing up a workspace, even while it is in use, and restoring it.

The database is copied first, as a consistent snapshot, and then every file. Files are written before the database
refers to them, and images are never removed, so that all files to which the copied database refers exist.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from synthaug.config import DATABASE_FILE, FOLDERS
from synthaug.errors import ImageRejected, WorkspaceDamaged, WorkspaceError, explain_os_error
from synthaug.exporters.base import refuse_filled
from synthaug.files import PARTIAL, new_directory, turns
from synthaug.images import decode_full, pixel_hash
from synthaug.progress import Progress
from synthaug.stages.backup_store import MANIFEST, BackedUpFile, BackupManifest, BackupStore, copy_checked
from synthaug.stages.verify import verify_database, verify_models
from synthaug.store import catalog
from synthaug.store.checks import made_at, row_counts
from synthaug.store.copies import copy_database
from synthaug.store.database import now
from synthaug.workspace import Workspace

COPIED_FOLDERS = ("images", "models", "runs", "features")
"""Folders that are backed up; exports are not, since they can be rebuilt from their manifests."""


@dataclass(frozen=True, slots=True)
class BackupResult:
    """The number of images and files in a backup, the files copied by this run, and damaged files left out."""

    images: int
    files: int
    copied: int
    problems: tuple[str, ...]


def backup(workspace: Workspace, destination: Path, progress: Progress | None = None) -> BackupResult:
    """Back up to a new folder, or to the folder of an earlier backup, to which only new files are copied.

    Damaged files are reported, and the earlier backup of them is kept. Raises WorkspaceDamaged for a damaged database,
    and WorkspaceError if the folder contains other files, or a backup that has more images or labels.
    """
    store = BackupStore(destination)
    if workspace.root.resolve() in [destination.resolve(), *destination.resolve().parents]:
        raise WorkspaceError(
            f"{destination} is inside the workspace; choose a folder outside, best on another disk"
        )
    store.refuse_other()
    if found := verify_database(workspace):
        raise WorkspaceDamaged(workspace.root, [each.text for each in found])
    try:
        destination.mkdir(parents=True, exist_ok=True)
        with turns(destination):
            return _Backup(workspace, store, progress).run()
    except OSError as error:
        raise explain_os_error(error, destination, "back up to") from error


class _Backup:
    """One run of :func:`backup`."""

    def __init__(self, workspace: Workspace, store: BackupStore, progress: Progress | None) -> None:
        self._workspace, self._store, self._progress = workspace, store, progress
        self._identity = made_at(workspace.db)
        self._before = self._earlier()
        # Images are never removed, so those of the earlier backup stay.
        self._files = {name: each for name, each in self._before.items() if name.startswith("images/")}
        self._copied = 0
        self._problems: list[str] = []

    def run(self) -> BackupResult:
        counts = self._add_database()
        damaged = verify_models(self._workspace)
        self._problems += [each.text for each in damaged]
        suspect = [each.path for each in damaged if each.path is not None]
        if self._workspace.images.url:
            self._fetch_images()
        paths = list(_files(self._workspace.root))
        for done, path in enumerate(paths):
            if self._progress is not None and done % 100 == 0:
                self._progress(done, len(paths), "copying files")
            self._add(path, suspect)
        self._store.publish(BackupManifest(self._identity, now(), counts, self._files))
        self._report_missing()
        return BackupResult(counts["images"], len(self._files), self._copied, tuple(self._problems))

    def _earlier(self) -> dict[str, BackedUpFile]:
        """The files of an existing backup. Raises WorkspaceError if it must not be replaced by this one."""
        if not (self._store.root / MANIFEST).exists():
            return {}
        manifest = self._store.manifest()
        if manifest.workspace != self._identity:
            raise WorkspaceError(
                f"{self._store.root} is the backup of another workspace; choose another folder"
            )
        for what, count in row_counts(self._workspace.db).items():
            if count < manifest.counts.get(what, 0):
                raise WorkspaceError(
                    f"the workspace has {count} {what}, but its backup in {self._store.root} has "
                    f"{manifest.counts[what]}, and a backup is never replaced by a smaller one; choose another folder"
                )
        return dict(manifest.files)

    def _add_database(self) -> dict[str, int]:
        """Copy the database; returns the row counts of the copy."""
        counts = row_counts(self._workspace.db)
        with tempfile.TemporaryDirectory(prefix=PARTIAL, dir=self._store.root) as folder:
            copy = Path(folder) / DATABASE_FILE
            copy_database(self._workspace.db.connection, copy)
            self._keep(DATABASE_FILE, copy)
        return counts

    def _add(self, path: Path, suspect: Sequence[Path]) -> None:
        """Add a file, unless it is damaged or an image that the backup already has."""
        relative = path.relative_to(self._workspace.root)
        name = relative.as_posix()
        known = self._before.get(name)
        if relative.parts[0] == "images":
            if known is not None and self._store.holds(known):
                return
            if (wrong := _image_fault(path, is_review=relative.parts[1] == "review")) is not None:
                self._problems.append(f"{name} {wrong}")
                return
        elif any(each == relative or each in relative.parents for each in suspect):
            self._files |= {} if known is None else {name: known}
            return
        self._keep(name, path)

    def _fetch_images(self) -> None:
        """Fetch the images that neither the backup nor the cache has; those that cannot be are reported as missing."""
        images, root = self._workspace.images, self._workspace.root
        found = catalog.find_images(self._workspace.db)
        for done, image in enumerate(found):
            if self._progress is not None and done % 100 == 0:
                self._progress(done, len(found), "fetching images")
            name = images.path(image.sha256).relative_to(root).as_posix()
            if name not in self._before or not self._store.holds(self._before[name]):
                with suppress(FileNotFoundError, ImageRejected):
                    images.png(image.sha256)
                    if images.has_review(image.sha256):
                        images.review_png(image.sha256)

    def _keep(self, name: str, path: Path) -> None:
        self._files[name], new = self._store.put(path)
        self._copied += new

    def _report_missing(self) -> None:
        """Report the images of the database that neither the workspace nor an earlier backup has."""
        root = self._workspace.root
        for image in catalog.find_images(self._workspace.db):
            name = self._workspace.images.path(image.sha256).relative_to(root).as_posix()
            if name not in self._files and not (root / name).exists():
                self._problems.append(f"{name} is missing")


def _files(root: Path) -> Iterator[Path]:
    """The files to back up besides the database; hidden files are unfinished and left out."""
    for folder in COPIED_FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and not any(part.startswith(".") for part in path.relative_to(root).parts):
                yield path


def _image_fault(path: Path, is_review: bool) -> str | None:
    """What is wrong with an image file, if anything; its name must be its pixel hash, except for review images."""
    try:
        image = decode_full(path.read_bytes())
    except (ImageRejected, OSError) as error:
        return f"cannot be read: {error}"
    return (
        None
        if is_review or pixel_hash(image) == path.stem
        else "has different pixels from those that were stored"
    )


def restore(source: Path, destination: Path, progress: Progress | None = None) -> Workspace:
    """Create a new workspace from a backup, completely or not at all, and check every file.

    Raises WorkspaceError if ``destination`` is not empty, and WorkspaceDamaged if the backup is damaged.
    """
    store = BackupStore(source)
    manifest = store.manifest()
    refuse_filled(destination, "restore to")
    problems = []
    with new_directory(destination, "restore to", durable=True) as partial:
        for done, (name, file) in enumerate(manifest.files.items()):
            if progress is not None and done % 100 == 0:
                progress(done, len(manifest.files), "restoring files")
            try:
                copy_checked(store.path(file), partial / name, file)
            except FileNotFoundError:
                problems.append(f"{name} is missing from the backup")
            except WorkspaceDamaged as error:
                problems.append(f"{name}: {error}")
        if problems:
            raise WorkspaceDamaged(source, problems)
        for folder in FOLDERS:
            (partial / folder).mkdir(exist_ok=True)
    return Workspace.open(destination)
