"""A view as a file to share: which images, as which classes, in which order; and back, where the images are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from synthaug import __version__
from synthaug.errors import ViewError, explain_os_error
from synthaug.store import labels, views
from synthaug.workspace import Workspace

FORMAT = "synthaug-view"
FORMAT_VERSION = 1


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
    classes, images = manifest["classes"], manifest["images"]
    if list(workspace.classes) != classes:
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
    spec = {**manifest["spec"], "manifest": manifest["fingerprint"]}
    return views.create(workspace.db, name, spec, chosen)


def fingerprint(classes: Sequence[str], images: Sequence[tuple[str, str]]) -> str:
    """SHA-256 over the classes and every (hash, class name) in order: equal for equal training sets only."""
    content = json.dumps([list(classes), [list(image) for image in images]], ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()


def _manifest(path: Path) -> dict[str, Any]:
    """The manifest with its images as (hash, class name). Raises ViewError."""
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ViewError(
            f"cannot read {path}: {error.strerror}; name a file that synthaug view --to wrote"
        ) from error
    except ValueError as error:
        raise ViewError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(read, dict) or read.get("format") != FORMAT:
        raise ViewError(f"{path} is no view's manifest; name a file that synthaug view --to wrote")
    if read.get("format_version") != FORMAT_VERSION:
        raise ViewError(
            f"{path} has format_version {read.get('format_version')!r}; {FORMAT_VERSION} is what this release reads"
        )
    try:
        classes = [str(each) for each in read["classes"]]
        images = [(str(each["sha256"]), str(each["class"])) for each in read["images"]]
        spec = dict(read["spec"])
    except (KeyError, TypeError, ValueError) as error:
        raise ViewError(f"{path} is incomplete: it lacks or garbles {error}") from error
    if read.get("fingerprint") != fingerprint(classes, images):
        raise ViewError(
            f"{path} was changed after it was written: its fingerprint does not fit; fetch it again"
        )
    strange = next((class_name for _, class_name in images if class_name not in classes), None)
    if strange is not None or not images:
        what = (
            "holds no image"
            if strange is None
            else f"has images of {strange!r}, which is none of its classes"
        )
        raise ViewError(f"{path} {what}; write it again with synthaug view --to")
    return {"classes": classes, "images": images, "spec": spec, "fingerprint": read["fingerprint"]}
