"""Write to the label log: what a person said, what was accepted, what a script brings."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast
from uuid import uuid4

from synthaug.config import AUTOMATIC_THRESHOLD
from synthaug.errors import UserError
from synthaug.records import LabelEntry, LabelValue
from synthaug.store import catalog, labels, models
from synthaug.workspace import Workspace

AUTOMATIC = "synthaug"
"""Who signs automatic labels."""


def record(workspace: Workspace, entries: Sequence[LabelEntry]) -> list[int]:
    """Append labels; returns their log ids in the same order. A repeated ``op_id`` is a retry, recorded once.

    Raises UserError for a class that does not fit or an image that is not there; then nothing is recorded.
    """
    classes = workspace.classes
    for entry in entries:
        labels.require_class(entry.value, entry.class_index, classes)
        if not entry.annotator.strip():
            raise UserError("a label needs the annotator's name")
    catalog.images_by_id(workspace.db, [entry.image_id for entry in entries])
    model = models.predicting(workspace.db)
    return labels.append(workspace.db, entries, None if model is None else model.id)


def undo(
    workspace: Workspace, op_id_to_undo: str, annotator: str, op_id: str, *, own: bool = False
) -> int | None:
    """Take back one label by appending to the log; returns the new entry's id, None if it was undone before.

    ``own``: only what the same annotator said.
    """
    entry = labels.by_op_id(workspace.db, op_id_to_undo)
    if entry is None:
        raise UserError(f"there is no label with the operation id {op_id_to_undo!r} to undo")
    if entry.value == "undo":
        raise UserError("an undo cannot be undone; label the image again instead")
    if own and entry.annotator != annotator:
        raise UserError(f"{entry.annotator!r} gave this label; a reviewer can take it back")
    if labels.is_undone(workspace.db, entry.id):
        return None
    taken_back = LabelEntry(
        image_id=entry.image_id,
        value="undo",
        annotator=annotator,
        source=entry.source,
        op_id=op_id,
        undoes=entry.id,
    )
    return labels.append(workspace.db, [taken_back])[0]


def progress(workspace: Workspace) -> dict[str, int]:
    """How many synthetic images were reviewed, of how many."""
    reviewed, total = labels.review_progress(workspace.db)
    return {"reviewed": reviewed, "total": total}


def accept_confident(workspace: Workspace, threshold: float = AUTOMATIC_THRESHOLD) -> int:
    """Accept what the model and the prompt agree on at ``threshold`` or more, as ``source = automatic``.

    Only unreviewed synthetic images; a confident *dis*agreement is left to a person. Returns how many.
    """
    check_threshold(threshold)
    model = models.predicting(workspace.db)
    if model is None:
        raise UserError("no predictions yet; make some first: synthaug predict")
    prompted = {each.image_id: each.class_index for each in labels.prompted_images(workspace.db)}
    predictions = models.predictions_of(workspace.db, model.id, list(prompted))
    agreed = [
        automatic_entry(model, prediction)
        for image_id, prediction in predictions.items()
        if prediction.confidence >= threshold and prediction.class_index == prompted[image_id]
    ]
    labels.append(workspace.db, agreed, model.id)
    return len(agreed)


def check_threshold(threshold: float) -> None:
    """Refuse what is no confidence. Raises UserError."""
    if not 0 < threshold <= 1:
        raise UserError(f"the confidence threshold is {threshold}; it must lie above 0 and at most at 1")


def automatic_entry(model: models.Model, prediction: models.Prediction) -> LabelEntry:
    """The class a model sees in an image, as a line of the log; the same model says it once."""
    return LabelEntry(
        image_id=prediction.image_id,
        value="class",
        class_index=prediction.class_index,
        annotator=AUTOMATIC,
        source="automatic",
        op_id=f"automatic:{model.revision[:16]}:{prediction.image_id}",
    )


def from_csv(workspace: Workspace, path: Path, annotator: str) -> int:
    """Record labels from a CSV with the columns ``image`` (id or SHA-256) and ``label``; returns how many.

    ``label`` is a class name, or ``reject`` or ``unsure`` (a class of that name wins). The same file twice
    records once. Any bad row refuses the whole file.
    """
    entries = []
    classes = workspace.classes
    ids = {image.sha256: image.id for image in catalog.find_images(workspace.db)}
    ids |= {str(each): each for each in ids.values()}
    for number, (image, label) in enumerate(_rows(path), start=2):
        if image not in ids:
            raise UserError(f"{path} line {number}: no image {image!r}; give an image's id or SHA-256")
        value, index = _value(f"{path} line {number}", label, classes)
        digest = hashlib.sha256(f"{annotator}\n{ids[image]}\n{label}\n{number}".encode()).hexdigest()
        entries.append(
            LabelEntry(ids[image], value, annotator, "human", op_id=f"csv:{digest}", class_index=index)
        )
    record(workspace, entries)
    return len(entries)


def label_images(workspace: Workspace, given: Mapping[str, str], annotator: str) -> int:
    """Record SHA-256 -> class name, ``reject`` or ``unsure``; returns how many labels that changed anything.

    Any bad entry refuses all of them. Raises UserError.
    """
    known = labels.by_hash(workspace.db, list(given))
    entries = []
    for sha256, label in given.items():
        if sha256 not in known:
            raise UserError(f"no image {sha256!r}; give the whole SHA-256 of an image of this workspace")
        value, index = _value(f"image {sha256}", label, workspace.classes)
        image = known[sha256]
        if (value, index) != (image.value, image.class_index):
            entries.append(LabelEntry(image.image_id, value, annotator, "human", f"api:{uuid4()}", index))
    record(workspace, entries)
    return len(entries)


def _value(where: str, label: str, classes: Sequence[str]) -> tuple[LabelValue, int | None]:
    """What a written label means; a class called "reject" or "unsure" wins. Raises UserError."""
    if label in classes:
        return "class", classes.index(label)
    if label in ("reject", "unsure"):
        return cast(LabelValue, label), None
    allowed = ", ".join([*map(repr, classes), "'reject'", "'unsure'"])
    raise UserError(f"{where}: label {label!r} is unknown; allowed: {allowed}")


def _rows(path: Path) -> list[tuple[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = {"image", "label"} - set(reader.fieldnames or ())
            if missing:
                raise UserError(f"{path} has no column {min(missing)!r}; it needs the columns image,label")
            return [((row["image"] or "").strip(), (row["label"] or "").strip()) for row in reader]
    except FileNotFoundError as error:
        raise UserError(f"no file {path}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 text") from error
