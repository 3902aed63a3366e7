"""A folder of images: ``split/class/image``, ``class/image`` or just images, with or without a table.

Order is that of the sorted paths. The class is the first folder below the split, deeper folders are only
places; a label in ``metadata.csv`` counts for more. Links that lead out of the folder are refused one by
one, and linked folders are not entered.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from urllib.parse import unquote

from synthaug.errors import ImportFailed
from synthaug.importers.base import Only
from synthaug.importers.dicom import is_dicom
from synthaug.importers.metadata import Row, read_tables
from synthaug.records import ImportItem, Split

_COMMON = [".png", ".apng", ".jpg", ".jpeg", ".jpe", ".webp", ".bmp", ".tif", ".tiff", ".gif"]
SUFFIXES = frozenset([*_COMMON, ".dcm", ".dicom", ".ppm", ".pgm", ".pbm", ".pnm"])
"""What is imported."""

REPORTED = frozenset([".avif", ".dng", ".heic", ".heif", ".jp2", ".jxl", ".psd", ".svg"])
"""Images that we do not read: they are rejected by name; other files are passed over in silence."""

MAX_FILE_BYTES = 512 * 2**20

_SPLITS: Mapping[str, Split] = {"train": "train", "training": "train", "test": "test", "testing": "test"}
_VALIDATION = ("val", "valid", "validation")


@dataclass(frozen=True, slots=True)
class _Tree:
    """What lies in a folder, before any image is read. Paths are relative to ``root`` and sorted."""

    root: Path
    paths: list[Path]  # image files, and links to folders, which are rejected
    splits: Mapping[str, Split]  # top folder -> split; empty where the top folders are not splits
    rows: Mapping[str, Row]  # posix path -> what the tables say
    folders: list[Path]

    def folder_class(self, path: Path) -> str | None:
        """The class that the folders of a file say, if any."""
        parts = path.parts[1:] if path.parts[0] in self.splits else path.parts
        return _class_name(parts[0]) if len(parts) > 1 else None

    def class_name(self, path: Path) -> str | None:
        """The class of a file: its table's label, else its folder. A blank label is no label."""
        folder, row = self.folder_class(path), self.rows.get(path.as_posix())
        if row is None or row.class_name is None:
            return folder
        return row.class_name or ("" if folder == "" else None)

    def empty_classes(self) -> set[str]:
        """Classes whose folder holds no image: an exported set keeps them."""
        used = {parent for path in self.paths for parent in path.parents}
        depth = 2 if self.splits else 1
        classes = [folder for folder in self.folders if len(folder.parts) == depth and folder not in used]
        return {_class_name(folder.name) for folder in classes}


class FolderImporter:
    """ImageFolder, optionally with a train / test level, ``metadata.csv`` or ``metadata.jsonl``."""

    name: ClassVar[str] = "folder"
    description: ClassVar[str] = "A folder of images in class folders (ImageFolder), or with metadata.csv"

    def accepts(self, source: Path) -> bool:
        return source.is_dir()

    def items(self, source: Path, only: Only = None) -> Iterator[ImportItem]:
        tree = _survey(source)
        inside = source.resolve()
        for path in tree.paths:
            yield _item(tree, path, inside, only)
        for missing in _missing(tree):
            yield ImportItem(
                missing, b"", None, rejected="listed in the metadata, but there is no such image"
            )

    def class_names(self, source: Path) -> list[str] | None:
        tree = _survey(source)
        named = {name for path in tree.paths if (name := tree.class_name(path)) is not None}
        return sorted(named | tree.empty_classes()) or None

    def count(self, source: Path) -> int:
        tree = _survey(source)
        return len(tree.paths) + len(_missing(tree))


def _missing(tree: _Tree) -> list[str]:
    return sorted(tree.rows.keys() - {path.as_posix() for path in tree.paths})


def _survey(source: Path) -> _Tree:
    if not source.is_dir():
        raise ImportFailed(f"{source} is not a folder")
    paths, folders = [], []
    for place, inner, files in os.walk(source):
        here = Path(place).relative_to(source)
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        folders += [here / name for name in inner]
        paths += [here / name for name in inner if (source / here / name).is_symlink()]
        paths += [here / name for name in files if is_image(name) or is_nameless_dicom(source / here / name)]
    if not paths:
        supported = ", ".join(sorted(SUFFIXES))
        raise ImportFailed(f"found no images in {source}; supported extensions are {supported}")
    splits = _split_folders([folder.name for folder in folders if len(folder.parts) == 1])
    rows = read_tables([source, *(source / folder for folder in folders)], source)
    return _Tree(source, sorted(paths), splits, rows, folders)


def is_image(name: str) -> bool:
    """Whether a file is called like an image, one that we read or one that is reported."""
    return not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES | REPORTED


def is_nameless_dicom(path: Path) -> bool:
    """Whether a file is DICOM by its content, under a name without an extension or one that ends in a number.

    Devices name films so (``IM000001``, ``1.2.840.113619.2``); a DICOMDIR lists films and is none.
    """
    suffix = path.suffix.lower()
    if path.name.startswith((".", "DICOMDIR")) or (suffix and not suffix[1:].isdigit()):
        return False
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return is_dicom(file.read(132))
    except OSError:  # what cannot be opened is no image that we know of
        return False


def _split_folders(names: list[str]) -> dict[str, Split]:
    """Top folder -> split, if all of them are splits. Validation is training data where a test set exists."""
    known = {name: _SPLITS[name.lower()] for name in names if name.lower() in _SPLITS}
    validation = [name for name in names if name.lower() in _VALIDATION]
    if not known or len(known) + len(validation) < len(names):
        return {}
    role: Split = "train" if "test" in known.values() else "test"
    return {**known, **dict.fromkeys(validation, role)}


def _class_name(folder: str) -> str:
    """A folder's class: percent-encoding, as exports use it for what file systems forbid, is undone."""
    if folder == "%":
        return ""
    folder = _text(folder)
    try:
        return unquote(folder, errors="strict")
    except UnicodeDecodeError:  # a per cent sign that encodes nothing
        return folder


def _text(name: str) -> str:
    """A file name as valid Unicode: bytes that are not UTF-8, which Linux allows, become U+FFFD."""
    return os.fsencode(name).decode("utf-8", "replace")


def _item(tree: _Tree, path: Path, inside: Path, only: Only) -> ImportItem:
    row = tree.rows.get(path.as_posix())
    shown = _text(path.as_posix())
    data, rejected = b"", _no_format(path)
    if only is None or shown in only:
        data, rejected = read_file(tree.root / path, inside)
    return ImportItem(
        path=shown,
        data=data,
        class_name=tree.class_name(path),
        split=tree.splits.get(path.parts[0]),
        caption=row.caption if row else None,
        metadata=row.metadata if row else {},
        rejected=rejected,
    )


def _no_format(path: Path) -> str:
    """Why an image that is called so is not read; "" where it may be."""
    known = path.suffix.lower() not in REPORTED
    return "" if known else f"{path.suffix} is not a format we read; convert it to PNG"


def read_file(path: Path, inside: Path) -> tuple[bytes, str]:
    """A file's bytes, or why they are not taken."""
    if unread := _no_format(path):
        return b"", unread
    try:
        if not path.resolve().is_relative_to(inside):
            return b"", "a link that leads out of the folder; copy the file in"
        if not path.is_file():
            return b"", "a link to a folder or not a regular file; copy what it points to in"
        if path.stat().st_size > MAX_FILE_BYTES:
            return b"", f"{path.stat().st_size:,} bytes; {MAX_FILE_BYTES:,} is the most allowed"
        return path.read_bytes(), ""
    except OSError as error:
        return b"", f"cannot be read: {error.strerror}"
    except RuntimeError:  # how pathlib, before Python 3.13, reports links that lead to themselves
        return b"", "a link that leads to itself"
