"""Recording many labels at once, from a CSV file or by hash."""

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
    """The outcome of importing a CSV file."""

    recorded: int
    unchanged: int  # images that already have this label
    repeated: int  # rows that a later row of the same image replaces


def from_csv(workspace: Workspace, path: Path, annotator: str) -> CsvLabels:
    """Record labels from a CSV with the columns ``image`` (id or SHA-256) and ``label``.

    ``label`` is a class name, or else ``reject`` or ``unsure``; of several rows of an image, the last is used. Only
    labels that differ from the current ones are recorded, so that importing a file again changes nothing. Raises
    UserError, without recording any label, if a row is invalid.
    """
    classes, ids = workspace.classes, image_ids(workspace)
    wanted: dict[int, tuple[LabelValue, int | None]] = {}
    rows = _rows(path)
    for number, (image, label) in enumerate(rows, start=2):
        if image not in ids:
            raise UserError(
                f"{path} line {number}: there is no image {image!r}; give the id or SHA-256 of an image"
            )
        try:
            wanted[ids[image]] = parse_label(label, classes)
        except UserError as error:
            raise UserError(f"{path} line {number}: {error}") from error
    new = _changes(workspace, wanted, annotator)
    label_log.append(workspace.db, new)
    return CsvLabels(len(new), len(wanted) - len(new), len(rows) - len(wanted))


def label_images(workspace: Workspace, given: Mapping[str, str], annotator: str) -> int:
    """Record labels given as SHA-256 -> class name, ``reject`` or ``unsure``; returns the number of changed labels.

    Raises UserError, without recording any label, if one of them is invalid.
    """
    known = labels.by_hash(workspace.db, list(given))
    wanted: dict[int, tuple[LabelValue, int | None]] = {}
    for sha256, label in given.items():
        if sha256 not in known:
            raise UserError(
                f"there is no image {sha256!r}; give the whole SHA-256 of an image of this workspace"
            )
        try:
            wanted[known[sha256].image_id] = parse_label(label, workspace.classes)
        except UserError as error:
            raise UserError(f"image {sha256}: {error}") from error
    new = _changes(workspace, wanted, annotator)
    label_log.append(workspace.db, new)
    return len(new)


def image_ids(workspace: Workspace) -> dict[str, int]:
    """The ids of all images by SHA-256, and by the id as text."""
    ids = {image.sha256: image.id for image in catalog.find_images(workspace.db)}
    return ids | {str(each): each for each in ids.values()}


def parse_label(text: str, classes: Sequence[str]) -> tuple[LabelValue, int | None]:
    """The value and class index of a label given as a class name, "reject" or "unsure". Raises UserError."""
    if text in classes:
        return "class", classes.index(text)
    if text == "reject":
        return "reject", None
    if text == "unsure":
        return "unsure", None
    allowed = ", ".join([*map(repr, classes), "'reject'", "'unsure'"])
    raise UserError(f"the label {text!r} is unknown; it must be one of {allowed}")


def _changes(
    workspace: Workspace, wanted: Mapping[int, tuple[LabelValue, int | None]], annotator: str
) -> list[LabelEntry]:
    """The entries needed so that the current labels are the wanted ones, given by this annotator."""
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
                raise UserError(
                    f"{path} has no column {min(missing)!r}; it needs the columns image and label"
                )
            return [((row["image"] or "").strip(), (row["label"] or "").strip()) for row in reader]
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}; give a CSV file") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 text") from error
    except csv.Error as error:
        raise UserError(f"{path} is not a CSV file: {error}") from error
