"""Write to the label log: what a person said, what was taken back, what was accepted."""

from __future__ import annotations

from collections.abc import Sequence

from synthaug.config import AUTOMATIC_THRESHOLD
from synthaug.errors import UserError
from synthaug.records import LabelEntry
from synthaug.store import catalog, generations, label_log, labels, models
from synthaug.workspace import Workspace

AUTOMATIC = "synthaug"
"""Who signs automatic labels."""


def record(workspace: Workspace, entries: Sequence[LabelEntry]) -> list[int]:
    """Append labels; returns their log ids in the same order. A repeated entry is a retry, recorded once.

    Raises UserError for what the log does not take (see label_log.append); then nothing is recorded.
    """
    return label_log.append(workspace.db, entries)


def undo(workspace: Workspace, op_id_to_undo: str, annotator: str, op_id: str) -> int | None:
    """Take back one label by appending to the log; the new entry's id, None if another undo came before.

    Raises UserError.
    """
    db = workspace.db
    entry = labels.by_op_id(db, op_id_to_undo)
    if entry is None:
        raise UserError(f"there is no label with the operation id {op_id_to_undo!r} to undo")
    if entry.value == "undo":
        raise UserError("an undo cannot be undone; label the image again instead")
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
    return len(label_log.append(workspace.db, agreed))


def check_threshold(threshold: float) -> None:
    """Refuse what is no confidence. Raises UserError."""
    if not 0 < threshold <= 1:
        raise UserError(f"the confidence threshold is {threshold}; it must lie above 0 and at most at 1")


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


def flips_by_slot(workspace: Workspace) -> list[dict[str, object]]:
    """How images fared by slot value: made, kept, flipped to another class, rejected; most trouble first."""
    tally: dict[tuple[str, str], dict[str, int]] = {}
    images = catalog.find_images(workspace.db, origin="synthetic")
    made = generations.of_images(workspace.db, [image.id for image in images])
    said = labels.current(workspace.db, list(made))
    for image_id, generation in made.items():
        label = said.get(image_id)
        for slot in generation.slots.items():
            counts = tally.setdefault(slot, {"made": 0, "kept": 0, "flipped": 0, "rejected": 0})
            counts["made"] += 1
            if label is not None and label.value == "reject":
                counts["rejected"] += 1
            elif label is not None and label.value == "class":
                flipped = generation.class_index not in (None, label.class_index)
                counts["flipped" if flipped else "kept"] += 1
    rows: list[dict[str, object]] = [
        {"slot": slot, "value": value, **counts} for (slot, value), counts in tally.items()
    ]
    return sorted(
        rows, key=lambda row: (-(int(str(row["rejected"])) + int(str(row["flipped"]))), str(row["value"]))
    )
