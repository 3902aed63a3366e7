"""The manifest of an export, with the hash of every file; and folders that appear as a whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from synthaug import __version__
from synthaug.errors import ExportFailed
from synthaug.exporters.base import refuse_filled
from synthaug.files import file_sha256, new_directory
from synthaug.parsing import JsonObject, as_json, read_json
from synthaug.records import ExportItem, Framing, Origin, Split

MANIFEST = "manifest.json"
MANIFEST_VERSION = 1

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


@dataclass(frozen=True, slots=True)
class ManifestImage:
    """One image of an export; ``label`` is an index of its manifest's ``class_names``."""

    sha256: Sha256
    label: Annotated[int, Field(ge=0)]
    split: Split
    origin: Origin
    provenance: JsonObject  # source, prompt, seed, annotator ...


@dataclass(frozen=True, slots=True)
class Manifest:
    """The contents of an export. :func:`read_manifest` checks everything that an exporter uses as a path or number."""

    synthaug_version: str
    format: str
    view: str
    class_names: tuple[str, ...]
    images: tuple[ManifestImage, ...]
    files: dict[str, str]  # path relative to the manifest's folder -> SHA-256 hex
    depth: Literal[8, 16] = 8  # 16: gray films were written at their full depth
    full_size: bool = False  # the larger original of an image was written, if there is one
    framing: Framing = "squeezed"  # of images that are not square, in a format of one size


@dataclass(frozen=True, slots=True)
class _Version:
    """The version, which is read first because another version may have other fields."""

    manifest_version: int


def recording(items: Iterable[ExportItem], entries: list[ManifestImage]) -> Iterator[ExportItem]:
    """Pass ``items`` on to an exporter and append each to ``entries``, so that few pixels are in memory."""
    for item in items:
        entries.append(
            ManifestImage(item.sha256, item.class_index, item.split, item.origin, as_json(item.provenance))
        )
        yield item


def build_manifest(
    directory: Path,
    *,
    format_name: str,
    view: str,
    class_names: Sequence[str],
    images: Sequence[ManifestImage],
    depth: Literal[8, 16] = 8,
    full_size: bool = False,
    framing: Framing = "squeezed",
) -> Manifest:
    """The manifest of an export that was written to ``directory``: ``images`` in order, and the hash of every file."""
    return Manifest(
        synthaug_version=__version__,
        format=format_name,
        view=view,
        class_names=tuple(class_names),
        images=tuple(images),
        files=file_hashes(directory),
        depth=depth,
        full_size=full_size,
        framing=framing,
    )


def file_hashes(directory: Path) -> dict[str, str]:
    """SHA-256 (hex) of every file below ``directory`` except the manifest, by its relative path."""
    paths = sorted(path for path in directory.rglob("*") if path.is_file())
    names = {path.relative_to(directory).as_posix(): path for path in paths}
    return {name: file_sha256(path) for name, path in names.items() if name != MANIFEST}


def write_manifest(directory: Path, manifest: Manifest) -> Path:
    """Write ``manifest.json`` with sorted keys, so that equal manifests have equal bytes; returns its path."""
    path = directory / MANIFEST
    path.write_text(
        json.dumps(_as_json(manifest), indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return path


def _as_json(manifest: Manifest) -> dict[str, object]:
    """The content of the file. Later fields are left out at their defaults, so that older releases read it."""
    content: dict[str, object] = {
        "manifest_version": MANIFEST_VERSION,
        "synthaug_version": manifest.synthaug_version,
        "format": manifest.format,
        "view": manifest.view,
        "class_names": manifest.class_names,
        "images": [
            {name: getattr(image, name) for name in ManifestImage.__dataclass_fields__}
            for image in manifest.images
        ],
        "files": manifest.files,
    }
    if manifest.depth != 8:
        content["depth"] = manifest.depth
    if manifest.framing != "squeezed":
        content["framing"] = manifest.framing
    if manifest.full_size:
        content["full_size"] = True
    return content


def read_manifest(path: Path) -> Manifest:
    """The manifest in the file ``path``. Raises ExportFailed for any other file and for another version."""
    if not path.exists():
        raise ExportFailed(f"there is no {path.name} in {path.parent}; give a folder that synthaug exported")
    version = read_json(_Version, path, ExportFailed).manifest_version
    if version != MANIFEST_VERSION:
        raise ExportFailed(
            f"{path} has manifest_version {version!r}; this release of synthaug reads {MANIFEST_VERSION}"
        )
    manifest = read_json(Manifest, path, ExportFailed)
    for number, image in enumerate(manifest.images):
        if image.label >= len(manifest.class_names):
            raise ExportFailed(
                f"{path} cannot be used: images.{number}.label is {image.label}; "
                f"there are {len(manifest.class_names)} class_names"
            )
    return manifest


def changed_files(directory: Path, files: Mapping[str, str]) -> list[str]:
    """The exported files that are missing or differ from their hash in the manifest; empty if all are intact."""
    found = file_hashes(directory)
    return sorted(name for name, sha256 in files.items() if found.get(name) != sha256)


@contextmanager
def atomic_directory(destination: Path) -> Iterator[Path]:
    """An empty folder that becomes ``destination`` at the end. Raises WorkspaceError if that is not empty."""
    refuse_filled(destination)
    with new_directory(destination, "export to", durable=True) as partial:
        yield partial
