"""Exporting a view as a manifest that lists its images and classes, and creating the same view from one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from synthaug import __version__
from synthaug.errors import ViewError, explain_os_error
from synthaug.names import check_name
from synthaug.parsing import read_json
from synthaug.records import Json
from synthaug.store import labels, views
from synthaug.workspace import Workspace

FORMAT = "synthaug-view"
FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class _Kind:
    """The fields that are read first, because other versions may have different fields."""

    format: str = ""
    format_version: int | None = None


@dataclass(frozen=True, slots=True)
class _Image:
    """One image of a view."""

    sha256: str
    class_name: Annotated[str, Field(alias="class")]


@dataclass(frozen=True, slots=True)
class _Manifest:
    """The manifest of a view."""

    classes: tuple[str, ...]
    spec: Json
    images: tuple[_Image, ...]
    fingerprint: str

    @property
    def members(self) -> list[tuple[str, str]]:
        """(hash, class name) of every image, in order."""
        return [(each.sha256, each.class_name) for each in self.images]


def write_view(workspace: Workspace, name: str, path: Path) -> Path:
    """Write the manifest of a view to a new file. Raises UnknownName, ViewError and WorkspaceError."""
    view = views.by_name(workspace.db, name)
    classes = workspace.classes
    images = [(member.sha256, classes[member.class_index]) for member in views.members(workspace.db, view.id)]
    manifest = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "synthaug_version": __version__,
        "name": view.name,
        "classes": list(classes),
        "spec": dict(view.spec),
        "images": [{"sha256": sha256, "class": class_name} for sha256, class_name in images],
        "fingerprint": fingerprint(classes, images),
    }
    text = json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise ViewError(f"{path} already exists; choose another name, or remove it") from error
    except OSError as error:
        raise explain_os_error(error, path) from error
    return path


def read_view(workspace: Workspace, name: str, path: Path) -> views.View:
    """Create exactly the view that the manifest ``path`` describes, under ``name``.

    Raises ViewError, without creating a view, if the manifest is invalid, or the workspace has other classes or lacks
    images.
    """
    if not name.strip():
        raise ViewError("a view needs a name")
    manifest = _manifest(path)
    classes, images = manifest.classes, manifest.members
    if workspace.classes != classes:
        raise ViewError(
            f"{path} has the classes {', '.join(classes)}, but this workspace has {', '.join(workspace.classes)}; "
            "both must have the same classes in the same order"
        )
    hashes = list(dict.fromkeys(sha256 for sha256, _ in images))
    known = labels.by_hash(workspace.db, hashes)
    missing = [sha256 for sha256 in hashes if sha256 not in known]
    if missing:
        raise ViewError(
            f"{len(missing)} of the {len(hashes)} images of {path} are not in this workspace (the first is "
            f"{missing[0]}); import the same data and the exported synthetic images, then try again"
        )
    chosen = [(known[sha256].image_id, classes.index(class_name)) for sha256, class_name in images]
    spec = {**manifest.spec, "manifest": manifest.fingerprint}
    return views.create(workspace.db, check_name(name, "a view"), spec, chosen)


def fingerprint(classes: Sequence[str], images: Sequence[tuple[str, str]]) -> str:
    """SHA-256 over the classes and all (hash, class name) in order, which identifies a training set."""
    content = json.dumps([list(classes), [list(image) for image in images]], ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()


def _manifest(path: Path) -> _Manifest:
    """Read a manifest. Raises ViewError if it is invalid or was changed after it was written."""
    kind = read_json(_Kind, path, ViewError)
    if kind.format != FORMAT:
        raise ViewError(
            f"{path} is not the manifest of a view; give a file that synthaug view --to has written"
        )
    if kind.format_version != FORMAT_VERSION:
        raise ViewError(
            f"{path} has the format_version {kind.format_version!r}; this release reads version {FORMAT_VERSION}"
        )
    manifest = read_json(_Manifest, path, ViewError)
    if manifest.fingerprint != fingerprint(manifest.classes, manifest.members):
        raise ViewError(
            f"{path} was changed after it was written, because its fingerprint does not match; get it again"
        )
    strange = next((name for _, name in manifest.members if name not in manifest.classes), None)
    if strange is not None or not manifest.images:
        what = (
            "has no images"
            if strange is None
            else f"has images of {strange!r}, which is not one of its classes"
        )
        raise ViewError(f"{path} {what}; write it again with synthaug view --to")
    return manifest
