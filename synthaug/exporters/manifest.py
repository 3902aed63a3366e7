"""What an export holds, down to every file's hash; and directories that appear whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from synthaug import __version__
from synthaug.errors import ExportFailed
from synthaug.exporters.base import refuse_filled
from synthaug.files import file_sha256, new_directory
from synthaug.parsing import read_json
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
    provenance: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest as it is read: everything that an exporter will make paths and numbers of is checked."""

    synthaug_version: str
    format: str
    view: str
    class_names: tuple[str, ...]
    images: tuple[ManifestImage, ...]
    files: dict[str, str]  # path relative to the manifest's folder -> SHA-256 hex
    depth: Literal[8, 16] = 8  # 16: films were written at their full depth
    full_size: bool = False  # larger originals were written where they are kept
    framing: Framing = "squeezed"  # what became of images that are not square, in a format of one size


@dataclass(frozen=True, slots=True)
class _Version:
    """What is read first: another version may have other fields."""

    manifest_version: int


def image_entry(item: ExportItem) -> dict[str, Any]:
    """The manifest's line for one image."""
    return {
        "sha256": item.sha256,
        "label": item.class_index,
        "split": item.split,
        "origin": item.origin,
        "provenance": dict(item.provenance),
    }


def recording(items: Iterable[ExportItem], entries: list[dict[str, Any]]) -> Iterator[ExportItem]:
    """Pass ``items`` on to an exporter and note each in ``entries``, so that pixels are held only once."""
    for item in items:
        entries.append(image_entry(item))
        yield item


def build_manifest(
    directory: Path,
    *,
    format_name: str,
    view: str,
    class_names: Sequence[str],
    images: Sequence[Mapping[str, Any]],
    depth: int = 8,
    full_size: bool = False,
    framing: Framing = "squeezed",
) -> dict[str, Any]:
    """The manifest of a written export: ``images`` in their order, and the SHA-256 of every file."""
    said: dict[str, Any] = ({"depth": depth} if depth != 8 else {}) | (
        {"full_size": True} if full_size else {}
    )
    said |= {"framing": framing} if framing != "squeezed" else {}
    return said | {
        "manifest_version": MANIFEST_VERSION,
        "synthaug_version": __version__,
        "format": format_name,
        "view": view,
        "class_names": list(class_names),
        "images": [dict(image) for image in images],
        "files": file_hashes(directory),
    }


def file_hashes(directory: Path) -> dict[str, str]:
    """Relative path -> SHA-256 hex of every file below ``directory`` but the manifest itself."""
    paths = sorted(path for path in directory.rglob("*") if path.is_file())
    names = {path.relative_to(directory).as_posix(): path for path in paths}
    return {name: file_sha256(path) for name, path in names.items() if name != MANIFEST}


def write_manifest(directory: Path, manifest: Mapping[str, Any]) -> Path:
    """Write ``manifest.json``: keys sorted, one stable form."""
    path = directory / MANIFEST
    path.write_text(
        json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return path


def read_manifest(path: Path) -> Manifest:
    """The manifest in the file ``path``; ``ExportFailed`` where it is none we understand."""
    if not path.exists():
        raise ExportFailed(f"no {path.name} in {path.parent}; is it a folder that synthaug exported?")
    version = read_json(_Version, path, ExportFailed).manifest_version
    if version != MANIFEST_VERSION:
        raise ExportFailed(
            f"{path} has manifest_version {version!r}; {MANIFEST_VERSION} is what this release reads"
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
    """Exported files that are missing or differ from the hashes of their manifest; empty = intact."""
    found = file_hashes(directory)
    return sorted(name for name, sha256 in files.items() if found.get(name) != sha256)


@contextmanager
def atomic_directory(destination: Path) -> Iterator[Path]:
    """An empty folder that becomes ``destination`` as a whole; refuses a destination that holds something."""
    refuse_filled(destination)
    with new_directory(destination, "export to", durable=True) as partial:
        yield partial
