"""What an export holds, down to every file's hash; and directories that appear whole or not at all."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

from synthaug import __version__
from synthaug.errors import ExportFailed, explain_os_error
from synthaug.exporters.base import refuse_filled
from synthaug.records import ExportItem, Origin, Split

MANIFEST = "manifest.json"
MANIFEST_VERSION = 1


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
) -> dict[str, Any]:
    """The manifest of a written export: ``images`` in their order, and the SHA-256 of every file."""
    return {
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
    return {name: _sha256(path) for name, path in names.items() if name != MANIFEST}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(directory: Path, manifest: Mapping[str, Any]) -> Path:
    """Write ``manifest.json``: keys sorted, one stable form."""
    path = directory / MANIFEST
    path.write_text(
        json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return path


def read_manifest(directory: Path) -> dict[str, Any]:
    """The manifest in ``directory``; ``ExportFailed`` where there is none we understand."""
    path = directory / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ExportFailed(f"no {MANIFEST} in {directory}; is it a folder that synthaug exported?") from error
    except ValueError as error:
        raise ExportFailed(f"{path} is not valid JSON: {error}") from error
    version = manifest.get("manifest_version") if isinstance(manifest, dict) else None
    if version != MANIFEST_VERSION:
        raise ExportFailed(
            f"{path} has manifest_version {version!r}; {MANIFEST_VERSION} is what this release reads"
        )
    for number, entry in enumerate(manifest.get("images", ())):
        _check_entry(path, number, entry)
    return dict(manifest)


def _check_entry(path: Path, number: int, entry: Any) -> None:
    """Refuse an image entry of which an exporter would make a path or a number that is none of ours."""
    allowed = {"split": get_args(Split), "origin": get_args(Origin)}
    for field, values in allowed.items():
        seen = entry.get(field) if isinstance(entry, dict) else None
        if seen not in values:
            raise ExportFailed(
                f"{path}: image {number} has {field} {seen!r:.80}; allowed are {', '.join(map(repr, values))}"
            )
    if not re.fullmatch(r"[0-9a-f]{64}", str(entry.get("sha256"))):
        raise ExportFailed(
            f"{path}: image {number} has sha256 {entry.get('sha256')!r:.80}; it must be 64 hex digits"
        )
    if type(entry.get("label")) is not int or entry["label"] < 0:
        raise ExportFailed(
            f"{path}: image {number} has label {entry.get('label')!r:.80}; it must be a class index"
        )


def changed_files(directory: Path, manifest: Mapping[str, Any]) -> list[str]:
    """Exported files that are missing or altered since ``manifest`` was written; empty = intact."""
    found = file_hashes(directory)
    return sorted(name for name, sha256 in manifest["files"].items() if found.get(name) != sha256)


@contextmanager
def atomic_directory(destination: Path) -> Iterator[Path]:
    """An empty folder beside ``destination`` that takes its name when the block ends without an error.

    Refuses a destination that holds something. A full disk or a read-only folder is a ``WorkspaceError``
    that says so; after any error nothing is left behind.
    """
    refuse_filled(destination)
    partial = destination.parent / f".{destination.name}.partial-{secrets.token_hex(4)}"
    try:
        partial.mkdir(parents=True)
        try:
            yield partial
            partial.replace(destination)
        finally:
            shutil.rmtree(partial, ignore_errors=True)  # gone already after a success
    except OSError as error:
        raise explain_os_error(error, destination, "export to") from error
