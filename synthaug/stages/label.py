"""Writing to the label log: labels of people, undos, and automatically accepted predictions."""

from __future__ import annotations

from collections.abc import Sequence

from synthaug.config import AUTOMATIC_THRESHOLD
from synthaug.errors import LabelRefused, UserError
from synthaug.records import LabelEntry
from synthaug.stages.landmark_answers import measured
from synthaug.store import label_log, labels, models
from synthaug.store.database import Database
from synthaug.workspace import Workspace

AUTOMATIC = "synthaug"
"""The annotator of automatic labels."""


def record(workspace: Workspace, entries: Sequence[LabelEntry]) -> list[int]:
    """Append labels; returns their ids in the log, in the same order. Retries are recorded once.

    Landmarks are checked, and their angles measured. Raises LabelRefused, without recording any entry, for those that
    the log does not accept (see label_log.append).
    """
    return label_log.append(workspace.db, measured(workspace, entries))


def undo(
    workspace: Workspace, op_id_to_undo: str, annotator: str, op_id: str, *, own: bool = False
) -> int | None:
    """Undo a label by appending to the log; returns the id of the new entry, or None if the label was undone already.

    With ``own``, only labels of the same annotator can be undone. Raises LabelRefused.
    """
    return undo_all(workspace, [(op_id_to_undo, op_id)], annotator, own=own)[0]


def undo_all(
    workspace: Workspace, undos: Sequence[tuple[str, str]], annotator: str, *, own: bool = False
) -> list[int | None]:
    """Undo labels in one transaction, in this order: all of them, or none if one is refused. Returns as `undo` does.

    Each is the operation id of the label and that of the undo itself. Raises LabelRefused, as `undo` does.
    """

    def all_or_none(connection: object) -> list[int | None]:
        return [_undo(workspace.db, label, op_id, annotator, own) for label, op_id in undos]

    return workspace.db.grouped(all_or_none)


def _undo(db: Database, op_id_to_undo: str, op_id: str, annotator: str, own: bool) -> int | None:
    """`undo` within a transaction."""
    entry = labels.by_op_id(db, op_id_to_undo)
    if entry is None:
        raise LabelRefused(f"there is no label with the operation id {op_id_to_undo!r} to undo", op_id)
    if entry.value == "undo":
        raise LabelRefused("an undo cannot be undone; label the image again", op_id)
    if own and entry.annotator != annotator:
        raise LabelRefused(f"{entry.annotator!r} gave this label; only a reviewer can undo it", op_id)
    before = labels.undo_of(db, entry.id)
    if before is not None and before.op_id != op_id:
        return None
    undone = LabelEntry(
        image_id=entry.image_id,
        value="undo",
        annotator=annotator,
        source=entry.source,
        op_id=op_id,
        undoes=entry.id,
    )
    return label_log.append(db, [undone])[0]


def progress(workspace: Workspace) -> dict[str, int]:
    """The numbers of reviewed and of all synthetic images, and of labeled and of all real images."""
    counts = labels.review_progress(workspace.db)
    (reviewed, total), (real_labeled, real_total) = counts["synthetic"], counts["real"]
    return {"reviewed": reviewed, "total": total, "real_labeled": real_labeled, "real_total": real_total}


def accept_confident(workspace: Workspace, threshold: float = AUTOMATIC_THRESHOLD) -> int:
    """Label unreviewed synthetic images whose predicted class is the prompted one, as ``source = automatic``.

    ``threshold`` is the lowest confidence, above 0 and at most 1. Confident disagreements are left to people. Returns
    the number of labels. Raises UserError if there are no predictions.
    """
    check_threshold(threshold)
    model = models.predicting(workspace.db)
    if model is None:
        raise UserError("there are no predictions; compute them first: synthaug predict")
    prompted = {each.image_id: each.class_index for each in labels.prompted_images(workspace.db)}
    predictions = models.predictions_of(workspace.db, model.id, list(prompted))
    agreed = [
        automatic_entry(model, prediction)
        for image_id, prediction in predictions.items()
        if prediction.confidence >= threshold and prediction.class_index == prompted[image_id]
    ]
    return len(label_log.append(workspace.db, agreed))


def check_threshold(threshold: float) -> None:
    """Raises UserError for a confidence outside 0 .. 1, or 0."""
    if not 0 < threshold <= 1:
        raise UserError(f"the confidence threshold is {threshold}; it must be above 0 and at most 1")


def automatic_entry(model: models.Model, prediction: models.Prediction) -> LabelEntry:
    """A log entry with the predicted class of an image."""
    return LabelEntry(
        image_id=prediction.image_id,
        value="class",
        class_index=prediction.class_index,
        annotator=AUTOMATIC,
        source="automatic",
        op_id=label_log.new_op_id("automatic"),
        model_id=model.id,
    )
