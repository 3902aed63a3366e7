"""Reading ``metadata.csv`` and ``metadata.jsonl`` beside images, as in Hugging Face's ImageFolder: one row per image.

``file_name`` is relative to the table. ``label`` (or ``class``, ``class_name``) is the class and ``text`` (or
``caption``, ``prompt``) the caption of the image; all other columns are kept unchanged.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from synthaug.errors import ImportFailed
from synthaug.parsing import JsonObject, parse_json
from synthaug.spreadsheet import plain_cell

if TYPE_CHECKING:
    from pydantic import JsonValue

TABLES = ("metadata.csv", "metadata.jsonl")

OURS = frozenset({"origin", "sha256", "provenance"})
"""Columns that mark a table of exporters.folder, which escapes cells that a spreadsheet would run as formulas."""

_LABELS = ("label", "class", "class_name")
_CAPTIONS = ("text", "caption", "prompt")


@dataclass(frozen=True, slots=True)
class Row:
    """The row of one image in a table."""

    class_name: str | None
    caption: str | None
    metadata: Mapping[str, JsonValue]


def read_tables(folders: Iterable[Path], root: Path) -> dict[str, Row]:
    """The rows of every table in ``folders``, by the image's path relative to ``root``. Raises ImportFailed."""
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
                raise ImportFailed(
                    f"{table}, line {line}: there is no file_name; the columns are {sorted(record)}"
                )
            yield (folder / file_name).as_posix(), _row(record)
    except (csv.Error, UnicodeDecodeError, OSError) as error:
        raise ImportFailed(f"{table} cannot be read: {error}") from error


def _csv(table: Path) -> Iterator[tuple[int, JsonObject]]:
    """Line number and cells of each row."""
    with table.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        ours = set(reader.fieldnames or ()) >= OURS
        for record in reader:
            if None in record:
                raise ImportFailed(f"{table}, line {reader.line_num}: the row has more cells than the header")
            if ours:
                yield (
                    reader.line_num,
                    {name: plain_cell(cell) for name, cell in record.items() if cell is not None},
                )
            else:
                yield reader.line_num, dict(record)


def _jsonl(table: Path) -> Iterator[tuple[int, JsonObject]]:
    """Line number and object of each line that is not blank."""
    with table.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            yield number, parse_json(JsonObject, line, f"{table}, line {number},", ImportFailed)


def _row(record: JsonObject) -> Row:
    class_name = _first(record, _LABELS)
    caption = _first(record, _CAPTIONS)
    return Row(class_name, caption or None, record)


def _first(record: JsonObject, names: tuple[str, ...]) -> str | None:
    """Remove and return the value of the first of ``names`` that has one, as text."""
    for name in names:
        value = record.pop(name, None)
        if value is not None:
            return str(value)
    return None
