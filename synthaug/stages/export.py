"""Exporting a view and the test images to files, with a manifest from which the export can be rebuilt."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from synthaug.errors import ExportFailed, UserError
from synthaug.exporters import load_exporter
from synthaug.exporters.cifar import SIDE
from synthaug.exporters.manifest import (
    ManifestImage,
    atomic_directory,
    build_manifest,
    read_manifest,
    recording,
    write_manifest,
)
from synthaug.grayscale import as_picture
from synthaug.images import as_square
from synthaug.landmarks.captions import caption_with
from synthaug.landmarks.scheme import Scheme
from synthaug.records import (
    ExportItem,
    Framing,
    GrayImage,
    LandmarkProvenance,
    Landmarks,
    Pixels,
    Provenance,
)
from synthaug.stages.landmark_scheme import current_scheme
from synthaug.stages.pixels import in_batches, read_image, read_stored
from synthaug.store import catalog, generations, labels, landmarks, views
from synthaug.workspace import Workspace

BATCH = 2000  # images whose provenance is held at a time
SMALL_FORMATS = ("cifar10", "cifar10-binary")


@dataclass(frozen=True, slots=True)
class ExportResult:
    """The number of images written, and the path of the manifest."""

    images: int
    manifest: Path
    films: int = 0  # images written with more than 8 bits
    note: str = ""  # loss of depth or size because of the format, in a sentence


def export(
    workspace: Workspace,
    directory: Path,
    format: str,
    view: str,
    *,
    depth: int | None = None,
    full_size: bool = False,
) -> ExportResult:
    """Write ``view`` as the training split and the labeled real test images as the test split.

    With a ``depth`` of 16, gray images of more than 8 bits are written as stored; with 8, as they are displayed. The
    default is 16 if the format supports it. ``full_size`` writes the larger original of an image if there is one.
    ``directory`` is written completely or not at all. Raises UserError for a directory that is not empty, and for
    settings that the format does not support.
    """
    frozen = views.by_name(workspace.db, view)
    members = views.members(workspace.db, frozen.id)
    how = _as_asked(format, depth, full_size)
    items = _items(workspace, members + _test_members(workspace), how)
    result = _write(directory, format, view, items, workspace.classes, how)
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
    """Rebuild the export that a manifest describes, byte for byte, from the images of this workspace.

    Raises UnknownImage for a missing image, and ExportFailed for an invalid manifest or if the files differ.
    """
    wanted = read_manifest(manifest)
    how = Fidelity(wanted.depth, wanted.full_size, wanted.framing)
    items = _recorded_items(workspace, wanted.images, how)
    result = _write(directory, wanted.format, wanted.view, items, wanted.class_names, how)
    made = read_manifest(result.manifest)
    differing = [name for name, digest in wanted.files.items() if made.files.get(name) != digest]
    if differing:
        raise ExportFailed(
            f"{directory} was written, but {differing[0]!r} differs from the file of the manifest, which was made by "
            f"synthaug {wanted.synthaug_version}; this is synthaug {made.synthaug_version}"
        )
    return result


@dataclass(frozen=True, slots=True)
class Fidelity:
    """Bits per channel that are written, whether the larger originals are, and how images that are not square fit.

    ``framing`` concerns formats of one size; the exports of earlier releases are squeezed.
    """

    depth: Literal[8, 16] = 8
    full_size: bool = False
    framing: Framing = "padded"


def _as_asked(file_format: str, depth: int | None, full_size: bool) -> Fidelity:
    """The depth and size to write. Raises UserError if the format does not support them."""
    small = file_format in SMALL_FORMATS
    if depth not in (None, 8, 16):
        raise UserError(f"the depth is {depth} bits; it must be 8 or 16")
    if small and (depth == 16 or full_size):
        raise UserError(
            f"{file_format} supports only {SIDE} x {SIDE} pixels of 8 bits; use folder, parquet or webdataset"
        )
    return Fidelity(8 if small or depth == 8 else 16, full_size)


def _write(
    directory: Path,
    file_format: str,
    view: str,
    items: Iterator[ExportItem],
    classes: Sequence[str],
    how: Fidelity,
) -> ExportResult:
    exporter = load_exporter(file_format)
    entries: list[ManifestImage] = []
    seen = _Seen()
    with atomic_directory(directory) as partial:
        counted = seen.counting(items)
        if file_format in SMALL_FORMATS:
            counted = _framed(counted, how.framing)
        exporter.write(partial, recording(counted, entries), classes)
        manifest = build_manifest(
            partial,
            format_name=file_format,
            view=view,
            class_names=classes,
            images=entries,
            depth=how.depth if seen.films else 8,
            full_size=how.full_size,
            framing=how.framing if file_format in SMALL_FORMATS and seen.oblong else "squeezed",
        )
        path = write_manifest(partial, manifest)
    note = seen.note() if file_format in SMALL_FORMATS else ""
    return ExportResult(len(entries), directory / path.name, seen.films, note)


@dataclass(slots=True)
class _Seen:
    """Counts the images that are exported, those of more than 8 bits, and those that CIFAR formats resize."""

    images: int = 0
    films: int = 0
    other_sizes: int = 0
    oblong: int = 0  # not square
    largest: tuple[int, int] = (0, 0)

    def counting(self, items: Iterator[ExportItem]) -> Iterator[ExportItem]:
        """Yield ``items`` unchanged, and count them."""
        for item in items:
            height, width = item.pixels.shape[:2]
            self.images += 1
            self.films += item.film is not None
            self.other_sizes += (width, height) != (SIDE, SIDE)
            self.oblong += width != height
            self.largest = max(self.largest, (width, height), key=lambda size: size[0] * size[1])
            yield item

    def note(self) -> str:
        """A sentence on the resized images; "" if there are none."""
        if not self.other_sizes:
            return ""
        width, height = self.largest
        return (
            f"{self.other_sizes} of {self.images} images were resized to {SIDE} x {SIDE} (the largest from "
            f"{width} x {height}) at 8 bits{self._bars()}; use folder, parquet or webdataset to keep size and depth"
        )

    def _bars(self) -> str:
        return (
            f", {self.oblong} of them between black bars because they are not square" if self.oblong else ""
        )


def _framed(items: Iterator[ExportItem], framing: Framing) -> Iterator[ExportItem]:
    """The same at the side of CIFAR's images."""
    for item in items:
        yield replace(item, pixels=as_square(item.pixels, SIDE, framing))


def _test_members(workspace: Workspace) -> list[views.ViewImage]:
    return [
        views.ViewImage(image.image_id, image.sha256, image.class_index, "test", "real")
        for image in labels.labeled_images(workspace.db, split="test", origin="real")
    ]


def _items(workspace: Workspace, members: Sequence[views.ViewImage], how: Fidelity) -> Iterator[ExportItem]:
    """The members with their pixels and provenance, which is looked up for some of them at a time."""
    scheme = current_scheme(workspace)
    for part in in_batches(len(members), BATCH):
        provenance = _provenance(workspace, [member.image_id for member in members[part]], scheme)
        for member in members[part]:
            pixels, film = _read(workspace, member.sha256, how)
            yield ExportItem(
                sha256=member.sha256,
                pixels=pixels,
                film=film,
                class_index=member.class_index,
                split=member.split,
                origin=member.origin,
                provenance=provenance(member.image_id),
            )


def _provenance(
    workspace: Workspace, ids: Sequence[int], scheme: Scheme | None
) -> Callable[[int], Provenance]:
    """A function from an image id to all that is known of the image; ``ids`` are those that it will be asked for."""
    images = {image.id: image for image in catalog.images_by_id(workspace.db, ids)}
    captions = catalog.captions(workspace.db, ids)
    made = generations.of_images(workspace.db, ids)
    current = labels.current(workspace.db, ids)
    placed = landmarks.current(workspace.db, ids)

    def of(image_id: int) -> Provenance:
        known: Provenance = {"source": images[image_id].source}
        if image_id in captions:
            known["caption"] = captions[image_id]
        if image_id in made:
            known |= _generated(made[image_id], workspace.classes)
        if image_id in current:
            known |= _labeled(current[image_id])
        if image_id in placed:
            known["landmarks"] = _placed(placed[image_id].landmarks, scheme)
        return known

    return of


def _generated(generation: generations.Generation, classes: Sequence[str]) -> Provenance:
    index = generation.class_index
    return {
        "prompt": generation.prompt,
        "slots": dict(generation.slots),
        "seed": generation.seed,
        "generator": generation.generator,
        "revision": generation.revision,
        "prompted_class": None if index is None else classes[index],
    }


def _labeled(label: labels.CurrentLabel) -> Provenance:
    return {"annotator": label.annotator, "label_source": label.source, "labeled_at": label.created_at}


def _placed(found: Landmarks, scheme: Scheme | None) -> LandmarkProvenance:
    return {
        "scheme": found.scheme,
        "revision": found.revision,
        "points": found.points,
        "angles": found.angles,
        "caption": None if scheme is None else caption_with(scheme, found),
    }


def _recorded_items(
    workspace: Workspace, entries: Sequence[ManifestImage], how: Fidelity
) -> Iterator[ExportItem]:
    for entry in entries:
        pixels, film = _read(workspace, entry.sha256, how)
        yield ExportItem(
            sha256=entry.sha256,
            pixels=pixels,
            film=film,
            class_index=entry.label,
            split=entry.split,
            origin=entry.origin,
            provenance=entry.provenance,
        )


def _read(workspace: Workspace, sha256: str, how: Fidelity) -> tuple[Pixels, GrayImage | None]:
    """The image as displayed, and the gray image of more than 8 bits if it is to be written as stored."""
    if how.depth == 8:
        return read_image(workspace, sha256, full_size=how.full_size), None
    stored = read_stored(workspace, sha256, full_size=how.full_size)
    return as_picture(stored), stored if isinstance(stored, GrayImage) else None
