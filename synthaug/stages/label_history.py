"""Exporting the whole label log as JSON lines or as a table, and importing the JSON lines."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any, cast

from synthaug.errors import UnknownImage, UserError
from synthaug.files import new_file
from synthaug.parsing import parse_json
from synthaug.records import LabelEntry, LabelReading, LabelSource, LabelValue
from synthaug.spreadsheet import safe_cell
from synthaug.store import catalog, label_log, labels, models
from synthaug.store.label_chain import ChainedEntry, breaks, entries, head, verify_chain
from synthaug.store.landmarks import landmarks_of
from synthaug.workspace import Workspace

COLUMNS = tuple(field.name for field in fields(ChainedEntry))
FORMAT = "synthaug labels 1"


@dataclass(frozen=True, slots=True)
class HistoryImport:
    """The outcome of importing a history."""

    recorded: int
    unchanged: int  # entries that were in the log already


@dataclass(frozen=True, slots=True)
class Head:
    """The number of entries in a log, and the hash of the last one."""

    entries: int
    hash: str


def export_history(workspace: Workspace, path: Path) -> int:
    """Write all entries of the label log, oldest first, to FILE.jsonl or FILE.csv; returns their number.

    Only JSON lines can be imported. In a CSV file, cells that a spreadsheet would interpret as a formula start with an
    apostrophe. Raises UserError for another ending, a missing folder, or a log that was tampered with.
    """
    if path.suffix not in (".jsonl", ".csv"):
        raise UserError(
            f"{path} ends with {path.suffix!r}; give FILE.jsonl (can be imported) or FILE.csv (a table)"
        )
    if not path.parent.is_dir():
        raise UserError(f"there is no folder {path.parent}; create it first, or choose another")
    write = _write_lines if path.suffix == ".jsonl" else _write_table
    with workspace.db.transaction():  # a consistent state of the log
        problems = verify_chain(workspace.db)
        if problems:
            raise UserError(f"the label log cannot be exported, because it was tampered with: {problems[0]}")
        count, hash_of_last = head(workspace.db)
        log = (entry for _, entry in entries(workspace.db))
        _write_atomically(path, lambda file: write(file, log, Head(count, hash_of_last)))
    return count


def import_history(workspace: Workspace, path: Path) -> HistoryImport:
    """Append all entries of an exported FILE.jsonl, or none, with their annotators, times and undos.

    Entries that are in the log already are skipped. A model that the workspace does not have is left out of the entry.
    Raises UserError for a file that was changed or truncated, and UnknownName for an unknown image or class.
    """
    with workspace.db.transaction():
        before = head(workspace.db)[0]
        ids = {image.sha256: image.id for image in catalog.find_images(workspace.db)}
        revisions = {model.revision: model.id for model in models.all_models(workspace.db)}
        read = _read_lines(path)
        for entry in read:
            label_log.append(workspace.db, [_entry(workspace, entry, ids, revisions)])
        recorded = head(workspace.db)[0] - before
    return HistoryImport(recorded, len(read) - recorded)


def _entry(
    workspace: Workspace, entry: ChainedEntry, ids: Mapping[str, int], revisions: Mapping[str, int]
) -> LabelEntry:
    if entry.image not in ids:
        raise UnknownImage(entry.image)
    undone = None if entry.undoes is None else labels.by_op_id(workspace.db, entry.undoes)
    if entry.undoes is not None and undone is None:
        raise UserError(f"the label {entry.undoes!r} that {entry.op_id!r} undoes is not in the file")
    name = entry.class_name
    return LabelEntry(
        image_id=ids[entry.image],
        value=cast(LabelValue, entry.value),
        annotator=entry.annotator,
        source=cast(LabelSource, entry.source),
        op_id=entry.op_id,
        class_index=None if name is None else catalog.class_index(workspace.db, name),
        undoes=None if undone is None else undone.id,
        model_id=None if entry.model is None else revisions.get(entry.model),
        reason=entry.reason,
        created_at=entry.created_at,
        landmarks=landmarks_of(entry.landmarks),
        reading=cast(LabelReading | None, entry.reading),
    )


def _write_lines(file: IO[str], log: Iterable[ChainedEntry], head: Head) -> None:
    file.write(json.dumps({"format": FORMAT, **asdict(head)}) + "\n")
    file.writelines(json.dumps(asdict(entry)) + "\n" for entry in log)


def _write_table(file: IO[str], log: Iterable[ChainedEntry], head: Head) -> None:
    table = csv.writer(file)
    table.writerow(COLUMNS)
    table.writerows([safe_cell(getattr(entry, name) or "") for name in COLUMNS] for entry in log)


def _write_atomically(path: Path, write: Callable[[IO[str]], None]) -> None:
    """Write a text file atomically and durably. Raises WorkspaceError."""
    with new_file(path, durable=True) as file:
        text = TextIOWrapper(file, encoding="utf-8", newline="")
        write(text)
        text.detach()


def _read_lines(path: Path) -> list[ChainedEntry]:
    """The entries of an exported history, whose chain of hashes is checked. Raises UserError."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise UserError(f"there is no file {path}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read as text: {error}") from error
    first, *rest = [_object(path, number, line) for number, line in enumerate(lines, start=1)] or [{}]
    if first.get("format") != FORMAT or not isinstance(first.get("entries"), int):
        raise UserError(
            f"{path} is not an exported label log; create one with: synthaug labels export FILE.jsonl"
        )
    read = [_chained(path, number, row) for number, row in enumerate(rest, start=2)]
    problems = breaks(enumerate(read, start=1), first["entries"], str(first.get("hash")))
    if problems:
        raise UserError(f"{path} was changed after it was exported: {problems[0]}; export it again")
    return read


def _object(path: Path, number: int, line: str) -> dict[str, Any]:
    return parse_json(dict[str, Any], line, f"{path} line {number}")


def _chained(path: Path, number: int, row: Mapping[str, Any]) -> ChainedEntry:
    if {*row, "landmarks", "reading"} != set(COLUMNS) or not all(
        each is None or isinstance(each, str) for each in row.values()
    ):
        raise UserError(f"{path} line {number} must have exactly the text fields {', '.join(COLUMNS)}")
    return ChainedEntry(**row)
