"""``metadata.csv`` and ``metadata.jsonl`` beside images: one row an image, as Hugging Face's ImageFolder.

``file_name`` is relative to the table. ``label`` (or class, class_name) names the class, ``text`` (or
caption, prompt) describes the image; every other column is kept as it is.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthaug.errors import ImportFailed
from synthaug.parsing import parse_json
from synthaug.spreadsheet import plain_cell

TABLES = ("metadata.csv", "metadata.jsonl")

OURS = frozenset({"origin", "sha256", "provenance"})
"""Columns by which a table that exporters.folder wrote is known: its cells are safe for spreadsheets."""

_LABELS = ("label", "class", "class_name")
_CAPTIONS = ("text", "caption", "prompt")


@dataclass(frozen=True, slots=True)
class Row:
    """What a table says of one image."""

    class_name: str | None
    caption: str | None
    metadata: Mapping[str, Any]


def read_tables(folders: Iterable[Path], root: Path) -> dict[str, Row]:
    """Path relative to ``root`` -> row, from every table in ``folders``."""
    rows: dict[str, Row] = {}
    for folder in folders:
        for name in TABLES:
            table = folder / name
            if table.is_file():
                rows.update(_read(table, folder.relative_to(root)))
    return rows


def _read(table: Path, folder: Path) -> Iterator[tuple[str, Row]]:
    records = _csv(table) if table.suffix == ".csv" else _jsonl(table)
    try:
        for line, record in records:
            file_name = record.pop("file_name", None)
            if not isinstance(file_name, str) or not file_name:
                raise ImportFailed(f"{table}, line {line}: no file_name; the columns are {sorted(record)}")
            yield (folder / file_name).as_posix(), _row(record)
    except (csv.Error, UnicodeDecodeError, OSError) as error:
        raise ImportFailed(f"{table} cannot be read: {error}") from error


def _csv(table: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with table.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        ours = set(reader.fieldnames or ()) >= OURS
        for record in reader:
            if None in record:
                raise ImportFailed(f"{table}, line {reader.line_num}: more cells than the header has columns")
            plain = {name: plain_cell(cell) for name, cell in record.items() if cell is not None}
            yield reader.line_num, plain if ours else dict(record)


def _jsonl(table: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with table.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            yield number, parse_json(dict[str, Any], line, f"{table}, line {number},", ImportFailed)


def _row(record: dict[str, Any]) -> Row:
    class_name = _first(record, _LABELS)
    caption = _first(record, _CAPTIONS)
    return Row(class_name, caption or None, record)


def _first(record: dict[str, Any], names: tuple[str, ...]) -> str | None:
    """Take the first of ``names`` that the record has a value for."""
    for name in names:
        value = record.pop(name, None)
        if value is not None:
            return str(value)
    return None
