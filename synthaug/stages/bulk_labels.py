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
    kept: int = 0  # images that keep the different label of another person
    overwritten: int = 0  # recorded labels that replace another person's


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What one row says of an image."""

    value: LabelValue
    class_index: int | None
    annotator: str


def from_csv(
    workspace: Workspace, path: Path, annotator: str | None = None, *, overwrite: bool = False
) -> CsvLabels:
    """Record labels from a CSV with the columns ``image`` (id or SHA-256), ``label`` and, if wanted, ``annotator``.

    ``label`` is a class name, or else ``reject`` or ``unsure``; of several rows of an image, the last is used. Rows
    without a name are those of ``annotator``. Only labels that differ from the current ones are recorded, so that
    importing a file again changes nothing. An image that another person labeled keeps that label unless ``overwrite``
    is set; imported and automatic labels are replaced. Raises UserError, without recording any label, if a row is
    invalid.
    """
    classes, ids = workspace.classes, image_ids(workspace)
    wanted: dict[int, _Wanted] = {}
    rows = _rows(path)
    for number, (image, label, person) in enumerate(rows, start=2):
        if image not in ids:
            raise UserError(
                f"{path} line {number}: there is no image {image!r}; give the id or SHA-256 of an image"
            )
        if not (person or annotator):
            raise UserError(
                f"{path} line {number}: there is no annotator; fill the column annotator, or give one name with "
                "--annotator NAME"
            )
        try:
            wanted[ids[image]] = _Wanted(*parse_label(label, classes), person or str(annotator))
        except UserError as error:
            raise UserError(f"{path} line {number}: {error}") from error
    return _record(workspace, wanted, overwrite, len(rows) - len(wanted))


def label_images(
    workspace: Workspace, given: Mapping[str, str], annotator: str, *, overwrite: bool = False
) -> CsvLabels:
    """Record labels given as SHA-256 -> class name, ``reject`` or ``unsure``, by the rules of :func:`from_csv`.

    Raises UserError, without recording any label, if one of them is invalid.
    """
    known = labels.by_hash(workspace.db, list(given))
    wanted: dict[int, _Wanted] = {}
    for sha256, label in given.items():
        if sha256 not in known:
            raise UserError(
                f"there is no image {sha256!r}; give the whole SHA-256 of an image of this workspace"
            )
        try:
            wanted[known[sha256].image_id] = _Wanted(*parse_label(label, workspace.classes), annotator)
        except UserError as error:
            raise UserError(f"image {sha256}: {error}") from error
    return _record(workspace, wanted, overwrite)


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


def _record(
    workspace: Workspace, wanted: Mapping[int, _Wanted], overwrite: bool, repeated: int = 0
) -> CsvLabels:
    """Append what changes anything, all or none, in one transaction: nobody labels between the look and the write."""

    def write(connection: object) -> CsvLabels:
        known = labels.current(workspace.db, list(wanted))
        frozen = labels.frozen(workspace.db, list(wanted))
        new: dict[int, LabelEntry] = {}
        kept = set()
        for image_id, said in wanted.items():
            now = known.get(image_id)
            same = now is not None and (now.value, now.class_index) == (said.value, said.class_index)
            if same and (image_id in frozen or _by_a_person(now)):
                continue
            if _by_another(now, said.annotator) and image_id not in frozen and not overwrite:
                kept.add(image_id)
                continue
            op_id = label_log.new_op_id("csv")
            new[image_id] = LabelEntry(image_id, said.value, said.annotator, "human", op_id, said.class_index)
        label_log.append(workspace.db, list(new.values()))
        return CsvLabels(
            recorded=len(new),
            unchanged=len(wanted) - len(new) - len(kept),
            repeated=repeated,
            kept=len(kept),
            overwritten=sum(_by_another(known.get(each), wanted[each].annotator) for each in new),
        )

    return workspace.db.grouped(write)


def _by_a_person(label: labels.CurrentLabel | None) -> bool:
    return label is not None and label.source in PEOPLE


def _by_another(label: labels.CurrentLabel | None, annotator: str) -> bool:
    return label is not None and label.source in PEOPLE and label.annotator != annotator


def _rows(path: Path) -> list[tuple[str, str, str]]:
    """Image, label and annotator ("": not said) of every row."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = {"image", "label"} - set(reader.fieldnames or ())
            if missing:
                raise UserError(
                    f"{path} has no column {min(missing)!r}; it needs the columns image and label"
                )
            return [(_cell(row, "image"), _cell(row, "label"), _cell(row, "annotator")) for row in reader]
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}; give a CSV file") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 text") from error
    except csv.Error as error:
        raise UserError(f"{path} is not a CSV file: {error}") from error


def _cell(row: Mapping[str, str | None], column: str) -> str:
    return (row.get(column) or "").strip()
