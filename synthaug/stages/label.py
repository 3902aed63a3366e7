"""Write to the label log: what a person said, what was taken back, what was accepted."""

from __future__ import annotations

from collections.abc import Sequence

from synthaug.config import AUTOMATIC_THRESHOLD
from synthaug.errors import LabelRefused, UserError
from synthaug.records import LabelEntry
from synthaug.stages.landmark_answers import measured
from synthaug.store import label_log, labels, models
from synthaug.workspace import Workspace

AUTOMATIC = "synthaug"
"""Who signs automatic labels."""


def record(workspace: Workspace, entries: Sequence[LabelEntry]) -> list[int]:
    """Append labels; returns their log ids in the same order. A repeated entry is a retry, recorded once.

    Landmarks are checked, and their angles measured. Raises LabelRefused for what the log does not take (see
    label_log.append); then nothing is recorded.
    """
    return label_log.append(workspace.db, measured(workspace, entries))


def undo(
    workspace: Workspace, op_id_to_undo: str, annotator: str, op_id: str, *, own: bool = False
) -> int | None:
    """Take back one label by appending to the log; the new entry's id, None if another undo came before.

    ``own``: only what the same annotator said. Raises LabelRefused.
    """
    db = workspace.db
    entry = labels.by_op_id(db, op_id_to_undo)
    if entry is None:
        raise LabelRefused(f"there is no label with the operation id {op_id_to_undo!r} to undo", op_id)
    if entry.value == "undo":
        raise LabelRefused("an undo cannot be undone; label the image again instead", op_id)
    if own and entry.annotator != annotator:
        raise LabelRefused(f"{entry.annotator!r} gave this label; a reviewer can take it back", op_id)
    taken_back = LabelEntry(
        image_id=entry.image_id,
        value="undo",
        annotator=annotator,
        source=entry.source,
        op_id=op_id,
        undoes=entry.id,
    )

    def once(connection: object) -> int | None:
        before = labels.undo_of(db, entry.id)
        if before is not None and before.op_id != op_id:
            return None
        return label_log.append(db, [taken_back])[0]

    return db.grouped(once)


def progress(workspace: Workspace) -> dict[str, int]:
    """How many synthetic images were reviewed, of how many; and how many real ones are labeled, of how many."""
    counts = labels.review_progress(workspace.db)
    (reviewed, total), (real_labeled, real_total) = counts["synthetic"], counts["real"]
    return {"reviewed": reviewed, "total": total, "real_labeled": real_labeled, "real_total": real_total}


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
    return len(label_log.append(workspace.db, agreed))


def check_threshold(threshold: float) -> None:
    """Refuse what is no confidence. Raises UserError."""
    if not 0 < threshold <= 1:
        raise UserError(f"the confidence threshold is {threshold}; it must be above 0 and at most 1")


def automatic_entry(model: models.Model, prediction: models.Prediction) -> LabelEntry:
    """The class a model sees in an image, as a line of the log."""
    return LabelEntry(
        image_id=prediction.image_id,
        value="class",
        class_index=prediction.class_index,
        annotator=AUTOMATIC,
        source="automatic",
        op_id=label_log.new_op_id("automatic"),
        model_id=model.id,
    )
