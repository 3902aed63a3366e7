"""Labels that a script brings: as a table, or by hash."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from synthaug.errors import UserError
from synthaug.records import PEOPLE, LabelEntry, LabelValue
from synthaug.store import catalog, label_log, labels
from synthaug.workspace import Workspace


@dataclass(frozen=True, slots=True)
class CsvLabels:
    """What became of a table's rows."""

    recorded: int
    unchanged: int  # images whose label says this already
    repeated: int  # rows that a later row of the same image overrides


def from_csv(workspace: Workspace, path: Path, annotator: str) -> CsvLabels:
    """Record labels from a CSV with the columns ``image`` (id or SHA-256) and ``label``.

    ``label`` is a class name, or ``reject`` or ``unsure`` (a class of that name wins); of an image's rows the last
    counts. Only what differs from the label that counts now is recorded, so the same file twice records once.
    Any bad row refuses the whole file. Raises UserError.
    """
    classes, ids = workspace.classes, image_ids(workspace)
    wanted: dict[int, tuple[LabelValue, int | None]] = {}
    rows = _rows(path)
    for number, (image, label) in enumerate(rows, start=2):
        if image not in ids:
            raise UserError(f"{path} line {number}: no image {image!r}; give an image's id or SHA-256")
        try:
            wanted[ids[image]] = parse_label(label, classes)
        except UserError as error:
            raise UserError(f"{path} line {number}: {error}") from error
    new = _changes(workspace, wanted, annotator)
    label_log.append(workspace.db, new)
    return CsvLabels(len(new), len(wanted) - len(new), len(rows) - len(wanted))


def label_images(workspace: Workspace, given: Mapping[str, str], annotator: str) -> int:
    """Record SHA-256 -> class name, ``reject`` or ``unsure``; returns how many labels that changed anything.

    Any bad entry refuses all of them. Raises UserError.
    """
    known = labels.by_hash(workspace.db, list(given))
    wanted: dict[int, tuple[LabelValue, int | None]] = {}
    for sha256, label in given.items():
        if sha256 not in known:
            raise UserError(f"no image {sha256!r}; give the whole SHA-256 of an image of this workspace")
        try:
            wanted[known[sha256].image_id] = parse_label(label, workspace.classes)
        except UserError as error:
            raise UserError(f"image {sha256}: {error}") from error
    new = _changes(workspace, wanted, annotator)
    label_log.append(workspace.db, new)
    return len(new)


def image_ids(workspace: Workspace) -> dict[str, int]:
    """Every image's id by its SHA-256, and by itself as text."""
    ids = {image.sha256: image.id for image in catalog.find_images(workspace.db)}
    return ids | {str(each): each for each in ids.values()}


def parse_label(text: str, classes: Sequence[str]) -> tuple[LabelValue, int | None]:
    """A class name, "reject" or "unsure" as a label's value and class index. Raises UserError."""
    if text in classes:
        return "class", classes.index(text)
    if text == "reject":
        return "reject", None
    if text == "unsure":
        return "unsure", None
    allowed = ", ".join([*map(repr, classes), "'reject'", "'unsure'"])
    raise UserError(f"label {text!r} is unknown; allowed: {allowed}")


def _changes(
    workspace: Workspace, wanted: Mapping[int, tuple[LabelValue, int | None]], annotator: str
) -> list[LabelEntry]:
    """The entries that make the labels that count what is wanted, as this annotator's word."""
    known = labels.current(workspace.db, list(wanted))
    frozen = labels.frozen(workspace.db, list(wanted))
    entries = []
    for image_id, (value, class_index) in wanted.items():
        now = known.get(image_id)
        same = now is not None and (now.value, now.class_index) == (value, class_index)
        by_person = now is not None and now.annotator == annotator and now.source in PEOPLE
        if not (same and (by_person or image_id in frozen)):
            op_id = label_log.new_op_id("csv")
            entries.append(LabelEntry(image_id, value, annotator, "human", op_id, class_index))
    return entries


def _rows(path: Path) -> list[tuple[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = {"image", "label"} - set(reader.fieldnames or ())
            if missing:
                raise UserError(f"{path} has no column {min(missing)!r}; it needs the columns image,label")
            return [((row["image"] or "").strip(), (row["label"] or "").strip()) for row in reader]
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}; name a CSV file") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 text") from error
    except csv.Error as error:
        raise UserError(f"{path} is not a CSV file: {error}") from error
