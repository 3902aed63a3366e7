"""A view as a file to share: which images, as which classes, in which order; and back, where the images are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from synthaug import __version__
from synthaug.errors import ViewError, explain_os_error
from synthaug.names import check_name
from synthaug.parsing import read_json
from synthaug.store import labels, views
from synthaug.workspace import Workspace

FORMAT = "synthaug-view"
FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is read first: another version may have other fields."""

    format: str = ""
    format_version: int | None = None


@dataclass(frozen=True, slots=True)
class _Image:
    """One image of a view."""

    sha256: str
    class_name: Annotated[str, Field(alias="class")]


@dataclass(frozen=True, slots=True)
class _Manifest:
    """A view's manifest as it is read."""

    classes: tuple[str, ...]
    spec: dict[str, Any]
    images: tuple[_Image, ...]
    fingerprint: str

    @property
    def members(self) -> list[tuple[str, str]]:
        """(hash, class name) of every image, in order."""
        return [(each.sha256, each.class_name) for each in self.images]


def write_view(workspace: Workspace, name: str, path: Path) -> Path:
    """Write a view's manifest to ``path``, which must be new. Raises UnknownName, ViewError, WorkspaceError."""
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
        raise ViewError(f"{path} exists; choose another name, or remove it") from error
    except OSError as error:
        raise explain_os_error(error, path) from error
    return path


def read_view(workspace: Workspace, name: str, path: Path) -> views.View:
    """Make, under ``name``, exactly the view that the manifest ``path`` describes.

    Raises ViewError where the file is no sound manifest, or its classes or images are not those of the workspace;
    then nothing is made.
    """
    if not name.strip():
        raise ViewError("a view needs a name")
    manifest = _manifest(path)
    classes, images = manifest.classes, manifest.members
    if workspace.classes != classes:
        raise ViewError(
            f"{path} is about the classes {', '.join(classes)}; this workspace has {', '.join(workspace.classes)}. "
            "Both must be the same, in the same order"
        )
    hashes = list(dict.fromkeys(sha256 for sha256, _ in images))
    known = labels.by_hash(workspace.db, hashes)
    missing = [sha256 for sha256 in hashes if sha256 not in known]
    if missing:
        raise ViewError(
            f"{len(missing)} of the {len(hashes)} images of {path} are not in this workspace, the first is "
            f"{missing[0]}; import the same data, and the synthetic images as they were exported, then try again"
        )
    chosen = [(known[sha256].image_id, classes.index(class_name)) for sha256, class_name in images]
    spec = {**manifest.spec, "manifest": manifest.fingerprint}
    return views.create(workspace.db, check_name(name, "a view"), spec, chosen)


def fingerprint(classes: Sequence[str], images: Sequence[tuple[str, str]]) -> str:
    """SHA-256 over the classes and every (hash, class name) in order: equal for equal training sets only."""
    content = json.dumps([list(classes), [list(image) for image in images]], ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()


def _manifest(path: Path) -> _Manifest:
    """Raises ViewError for what is no manifest of a view, or was changed after it was written."""
    kind = read_json(_Kind, path, ViewError)
    if kind.format != FORMAT:
        raise ViewError(f"{path} is no view's manifest; name a file that synthaug view --to wrote")
    if kind.format_version != FORMAT_VERSION:
        raise ViewError(
            f"{path} has format_version {kind.format_version!r}; {FORMAT_VERSION} is what this release reads"
        )
    manifest = read_json(_Manifest, path, ViewError)
    if manifest.fingerprint != fingerprint(manifest.classes, manifest.members):
        raise ViewError(
            f"{path} was changed after it was written: its fingerprint does not fit; fetch it again"
        )
    strange = next((name for _, name in manifest.members if name not in manifest.classes), None)
    if strange is not None or not manifest.images:
        what = (
            "holds no image"
            if strange is None
            else f"has images of {strange!r}, which is none of its classes"
        )
        raise ViewError(f"{path} {what}; write it again with synthaug view --to")
    return manifest
