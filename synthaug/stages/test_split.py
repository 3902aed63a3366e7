"""The fingerprint of the real test images and their labels, and the correction of a test label by an owner."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from synthaug.errors import UnknownImage, UserError
from synthaug.records import LabelEntry
from synthaug.stages.bulk_labels import image_ids, parse_label
from synthaug.store import catalog, label_log, labels
from synthaug.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Correction:
    """A corrected test label, and the fingerprints of the test set before and after the correction."""

    image_id: int
    label: str
    before: str
    after: str


def fingerprint(rows: Sequence[tuple[str, int]]) -> str:
    """The SHA-256 over (sha256, class index) of a test set, ordered by hash; it changes with every label."""
    lines = "\n".join(f"{sha256} {class_index}" for sha256, class_index in rows)
    return hashlib.sha256(lines.encode()).hexdigest()


def correct_test_label(
    workspace: Workspace, image: str, label: str, annotator: str, reason: str
) -> Correction:
    """Correct the label of a real test image (id or SHA-256) to a class name, "reject" or "unsure".

    The log keeps the earlier label and the reason. The test set gets a new fingerprint, so that comparisons train
    again instead of using earlier runs. Raises UserError.
    """
    if not reason.strip():
        raise UserError("the correction of a test label needs a reason; say why the new label is right")
    ids = image_ids(workspace)
    if image not in ids:
        raise UnknownImage(image)
    image_id = ids[image]
    if image_id not in labels.frozen(workspace.db, [image_id]):
        raise UserError(f"image {image} is not a labeled real test image; label it like any other image")
    value, class_index = parse_label(label, workspace.classes)
    known = labels.current(workspace.db, [image_id])[image_id]
    if (known.value, known.class_index) == (value, class_index):
        raise UserError(f"image {image} already has the label {label!r}")
    before = current_fingerprint(workspace)
    op_id = label_log.new_op_id("correction")
    entry = LabelEntry(image_id, value, annotator, "human", op_id, class_index, reason=reason.strip())
    label_log.append(workspace.db, [entry])
    return Correction(image_id, label, before, current_fingerprint(workspace))


def current_fingerprint(workspace: Workspace) -> str:
    """The fingerprint of the current test set."""
    return fingerprint(catalog.hashes_of_split(workspace.db, "test"))


def has_test_images(workspace: Workspace) -> bool:
    """Whether there is a real test image, labeled or not."""
    return catalog.has_images(workspace.db, split="test", origin="real")
