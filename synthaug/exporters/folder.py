"""The exporter of ImageFolder: ``train/cat/<sha256>.png``, with the exact class names in ``metadata.csv``.

In the name of a class folder, characters that some file system does not allow are percent-encoded: ``AC/DC`` becomes
``AC%2FDC``. If names differ only in case, capitals are encoded as well. In the table, text that a spreadsheet would run
as a formula begins with an apostrophe.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from synthaug.errors import ExportFailed
from synthaug.exporters.base import caption_of, checked, png_of, prepare
from synthaug.records import ExportItem, Split
from synthaug.spreadsheet import safe_cell

COLUMNS = ("file_name", "label", "split", "origin", "sha256", "text", "provenance")
MAX_NAME_BYTES = 240  # common file systems allow 255

_UNSAFE = re.compile(r"[^A-Za-z0-9 _.,()+=@-]")
_RESERVED = re.compile(
    r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE
)  # names that Windows reserves


class FolderExporter:
    """``split/class/sha256.png`` and ``metadata.csv``, for the ImageFolder of torchvision and of Hugging Face."""

    name: ClassVar[str] = "folder"
    description: ClassVar[str] = "PNG files in class folders with metadata.csv (ImageFolder), any image size"

    def write(self, directory: Path, items: Iterable[ExportItem], class_names: Sequence[str]) -> None:
        prepare(directory, class_names)
        folders = folder_names(class_names)
        splits: set[Split] = set()
        seen: Counter[str] = Counter()
        with (directory / "metadata.csv").open("w", encoding="utf-8", newline="") as file:
            # Quote everything: the csv module does not quote a bare carriage return, at which readers split the row.
            rows = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
            rows.writerow(COLUMNS)
            for item in checked(items, class_names):
                if item.split not in splits:
                    _make_classes(directory / item.split, folders)
                    splits.add(item.split)
                name = _file_name(f"{item.split}/{folders[item.class_index]}/{item.sha256}", seen)
                (directory / name).write_bytes(png_of(item))
                rows.writerow(map(safe_cell, _row(name, class_names[item.class_index], item)))
        if not splits:
            _make_classes(directory / "train", folders)


def _make_classes(split: Path, folders: Sequence[str]) -> None:
    """Create the folder of every class, so that ImageFolder assigns the same indices in every split."""
    for folder in folders:
        (split / folder).mkdir(parents=True)


def _file_name(stem: str, seen: Counter[str]) -> str:
    """``stem.png``, or ``stem-2.png`` for the second copy of an image that is in the set twice."""
    seen[stem] += 1
    return f"{stem}.png" if seen[stem] == 1 else f"{stem}-{seen[stem]}.png"


def _row(name: str, class_name: str, item: ExportItem) -> tuple[str, ...]:
    """One row of metadata.csv, in the order of ``COLUMNS``."""
    provenance = json.dumps(item.provenance, sort_keys=True, ensure_ascii=False)
    text = caption_of(item)
    return (name, class_name, item.split, item.origin, item.sha256, text, provenance)


def folder_names(class_names: Sequence[str]) -> list[str]:
    """A folder name for each class name, valid and unique on every common file system. Raises ExportFailed."""
    plain = [_encoded(name) for name in class_names]
    folded = Counter(name.casefold() for name in plain)
    names = [
        encoded if folded[encoded.casefold()] == 1 else _encoded(name, capitals=True)
        for name, encoded in zip(class_names, plain, strict=True)
    ]
    for name, folder in zip(class_names, names, strict=True):
        if len(folder) > MAX_NAME_BYTES:
            raise ExportFailed(
                f"the class name {name[:40]!r}... needs a folder name of {len(folder)} bytes; at most {MAX_NAME_BYTES} "
                "are allowed. Use a shorter name or another format"
            )
    return names


def _encoded(name: str, *, capitals: bool = False) -> str:
    """``name`` percent-encoded; the empty name becomes ``%``, which no other name gives."""
    if not name:
        return "%"
    unsafe = re.compile(f"{_UNSAFE.pattern}|[A-Z]") if capitals else _UNSAFE
    encoded = unsafe.sub(lambda match: _percent(match[0]), name)
    if encoded[0] in ". " or _RESERVED.fullmatch(encoded):
        encoded = _percent(encoded[0]) + encoded[1:]
    if encoded[-1] in ". ":
        encoded = encoded[:-1] + _percent(encoded[-1])
    return encoded


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8"))
