"""Write a view and the frozen test set as files that others read, with a manifest that rebuilds them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from synthaug.errors import ExportFailed
from synthaug.exporters import load_exporter
from synthaug.exporters.manifest import (
    ManifestImage,
    atomic_directory,
    build_manifest,
    read_manifest,
    recording,
    write_manifest,
)
from synthaug.landmarks.captions import caption_with
from synthaug.records import ExportItem
from synthaug.stages.landmark_scheme import current_scheme
from synthaug.stages.pixels import read_image
from synthaug.store import catalog, generations, labels, landmarks, views
from synthaug.workspace import Workspace


@dataclass(frozen=True, slots=True)
class ExportResult:
    """How many images were written, and where the manifest lies."""

    images: int
    manifest: Path


def export(workspace: Workspace, directory: Path, format: str, view: str) -> ExportResult:
    """Write ``view`` as the training split and the real test images as the test split.

    ``directory`` appears whole or not at all. Raises UserError for a directory that holds something.
    """
    frozen = views.by_name(workspace.db, view)
    members = views.members(workspace.db, frozen.id)
    items = _items(workspace, members + _test_members(workspace))
    result = _write(directory, format, view, items, workspace.classes)
    views.add_export(
        workspace.db,
        frozen.id,
        file_format=format,
        path=str(directory.resolve()),
        images=result.images,
        manifest_sha256=hashlib.sha256(result.manifest.read_bytes()).hexdigest(),
    )
    return result


def rebuild(workspace: Workspace, manifest: Path, directory: Path) -> ExportResult:
    """Write again, byte for byte, what a manifest describes, from the images of this workspace.

    Raises UnknownName for an image that is not here, ExportFailed for a manifest we do not understand.
    """
    wanted = read_manifest(manifest)
    items = _recorded_items(workspace, wanted.images)
    result = _write(directory, wanted.format, wanted.view, items, wanted.class_names)
    made = read_manifest(result.manifest)
    differing = [name for name, digest in wanted.files.items() if made.files.get(name) != digest]
    if differing:
        raise ExportFailed(
            f"{directory} was written, but {differing[0]!r} differs from the manifest's; "
            f"it was made by synthaug {wanted.synthaug_version}, this is {made.synthaug_version}"
        )
    return result


def _write(
    directory: Path, file_format: str, view: str, items: Iterator[ExportItem], classes: Sequence[str]
) -> ExportResult:
    exporter = load_exporter(file_format)
    entries: list[dict[str, Any]] = []
    with atomic_directory(directory) as partial:
        exporter.write(partial, recording(items, entries), classes)
        manifest = build_manifest(
            partial, format_name=file_format, view=view, class_names=classes, images=entries
        )
        path = write_manifest(partial, manifest)
    return ExportResult(len(entries), directory / path.name)


def _test_members(workspace: Workspace) -> list[views.ViewImage]:
    return [
        views.ViewImage(image.image_id, image.sha256, image.class_index, "test", "real")
        for image in labels.labeled_images(workspace.db, split="test", origin="real")
    ]


def _items(workspace: Workspace, members: Sequence[views.ViewImage]) -> Iterator[ExportItem]:
    """Each member with its pixels and everything known of how it came to be."""
    ids = [member.image_id for member in members]
    images = {image.id: image for image in catalog.images_by_id(workspace.db, ids)}
    made = generations.of_images(workspace.db, ids)
    current = labels.current(workspace.db, ids)
    captions = catalog.captions(workspace.db, ids)
    placed = landmarks.current(workspace.db, ids)
    scheme = current_scheme(workspace)
    for member in members:
        provenance: dict[str, Any] = {"source": images[member.image_id].source}
        if member.image_id in captions:
            provenance["caption"] = captions[member.image_id]
        if (generation := made.get(member.image_id)) is not None:
            provenance |= {
                "prompt": generation.prompt,
                "slots": dict(generation.slots),
                "seed": generation.seed,
                "generator": generation.generator,
                "revision": generation.revision,
                "prompted_class": _class_name(workspace, generation.class_index),
            }
        if (label := current.get(member.image_id)) is not None:
            provenance |= {
                "annotator": label.annotator,
                "label_source": label.source,
                "labeled_at": label.created_at,
            }
        if (answer := placed.get(member.image_id)) is not None:
            caption = None if scheme is None else caption_with(scheme, answer.landmarks)
            provenance["landmarks"] = {**asdict(answer.landmarks), "caption": caption}
        yield ExportItem(
            sha256=member.sha256,
            pixels=read_image(workspace, member.sha256),
            class_index=member.class_index,
            split=member.split,
            origin=member.origin,
            provenance=provenance,
        )


def _class_name(workspace: Workspace, class_index: int | None) -> str | None:
    return None if class_index is None else workspace.classes[class_index]


def _recorded_items(workspace: Workspace, entries: Sequence[ManifestImage]) -> Iterator[ExportItem]:
    for entry in entries:
        yield ExportItem(
            sha256=entry.sha256,
            pixels=read_image(workspace, entry.sha256),
            class_index=entry.label,
            split=entry.split,
            origin=entry.origin,
            provenance=entry.provenance,
        )
