"""The importer of a folder of images: ``split/class/image``, ``class/image`` or just images, with or without a table.

Images come in the order of their sorted paths. The class is the first folder below the split; deeper folders have no
meaning. A label in ``metadata.csv`` takes precedence. Links that lead out of the folder are rejected one by one, and
linked folders are not entered.
"""

from __future__ import annotations

import os
import stat
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
"""File name extensions of the images that are imported."""

REPORTED = frozenset([".avif", ".dng", ".heic", ".heif", ".jp2", ".jxl", ".psd", ".svg"])
"""Extensions of images that cannot be read. They are reported as rejected; other files are silently ignored."""

MAX_FILE_BYTES = 512 * 2**20

_SPLITS: Mapping[str, Split] = {"train": "train", "training": "train", "test": "test", "testing": "test"}
_VALIDATION = ("val", "valid", "validation")


@dataclass(frozen=True, slots=True)
class _Tree:
    """The contents of a folder, before any image is read. Paths are relative to ``root`` and sorted."""

    root: Path
    paths: list[Path]  # image files, and links to folders, which are rejected
    splits: Mapping[str, Split]  # top folder -> split; empty if the top folders are not splits
    rows: Mapping[str, Row]  # POSIX path -> row of a table
    folders: list[Path]

    def folder_class(self, path: Path) -> str | None:
        """The class according to the folders of a file, if any."""
        parts = path.parts[1:] if path.parts[0] in self.splits else path.parts
        return _class_name(parts[0]) if len(parts) > 1 else None

    def class_name(self, path: Path) -> str | None:
        """The class of a file: the label in a table, or else its folder. An empty label means no class."""
        folder, row = self.folder_class(path), self.rows.get(path.as_posix())
        if row is None or row.class_name is None:
            return folder
        return row.class_name or ("" if folder == "" else None)

    def empty_classes(self) -> set[str]:
        """Classes whose folders contain no image; exports create such folders."""
        used = {parent for path in self.paths for parent in path.parents}
        depth = 2 if self.splits else 1
        classes = [folder for folder in self.folders if len(folder.parts) == depth and folder not in used]
        return {_class_name(folder.name) for folder in classes}


class FolderImporter:
    """An ImageFolder, optionally with folders for train and test, ``metadata.csv`` or ``metadata.jsonl``."""

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
            yield ImportItem(missing, b"", None, rejected="the metadata list it, but there is no such image")

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
    """Whether a file name has the extension of an image, whether it can be read or not."""
    return not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES | REPORTED


def is_nameless_dicom(path: Path) -> bool:
    """Whether a file without an extension, or with a number as its extension, is DICOM according to its content.

    Devices use such names (``IM000001``, ``1.2.840.113619.2``). A DICOMDIR lists films and is not a film.
    """
    suffix = path.suffix.lower()
    if path.name.startswith((".", "DICOMDIR")) or (suffix and not suffix[1:].isdigit()):
        return False
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return is_dicom(file.read(132))
    except OSError:  # a file that cannot be opened is not known to be an image
        return False


def _split_folders(names: list[str]) -> dict[str, Split]:
    """Top folder -> split, if all are splits. Validation images are for training, or for testing if no folder is."""
    known = {name: _SPLITS[name.lower()] for name in names if name.lower() in _SPLITS}
    validation = [name for name in names if name.lower() in _VALIDATION]
    if not known or len(known) + len(validation) < len(names):
        return {}
    role: Split = "train" if "test" in known.values() else "test"
    return {**known, **dict.fromkeys(validation, role)}


def _class_name(folder: str) -> str:
    """The class of a folder; decodes the percent-encoding that exports use for characters that file systems forbid."""
    if folder == "%":
        return ""
    folder = _text(folder)
    try:
        return unquote(folder, errors="strict")
    except UnicodeDecodeError:  # a percent sign that does not encode anything
        return folder


def _text(name: str) -> str:
    """A file name as valid Unicode; bytes that are not UTF-8, which Linux allows, become U+FFFD."""
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
    """The reason why an image with this extension cannot be read; "" if it can."""
    known = path.suffix.lower() not in REPORTED
    return "" if known else f"{path.suffix} images cannot be read; convert it to PNG"


def read_file(path: Path, inside: Path) -> tuple[bytes, str]:
    """The bytes of a file and "", or b"" and the reason why it is rejected."""
    if unread := _no_format(path):
        return b"", unread
    try:
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode):  # only then is there a way out: linked folders are not entered
            if not path.resolve().is_relative_to(inside):
                return b"", "it is a link that leads out of the folder; copy the file into it"
            found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            return (
                b"",
                "it is a link to a folder or not a regular file; copy what it points to into the folder",
            )
        if found.st_size > MAX_FILE_BYTES:
            return b"", f"it has {found.st_size:,} bytes; at most {MAX_FILE_BYTES:,} are allowed"
        return path.read_bytes(), ""
    except OSError as error:
        return b"", f"it cannot be read: {error.strerror}"
    except RuntimeError:  # before Python 3.13, pathlib raises this for links that lead to themselves
        return b"", "it is a link that leads to itself"
