"""Correcting the landmarks of a real test image, which are frozen like its label, by an owner."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from synthaug.errors import UserError
from synthaug.landmarks.geometry import Places, class_by_angles
from synthaug.records import LabelEntry
from synthaug.stages.landmark_answers import placed
from synthaug.stages.landmark_files import LandmarkImport, import_landmarks
from synthaug.stages.landmark_scheme import required_scheme
from synthaug.stages.test_split import Correction, current_fingerprint
from synthaug.store import catalog, label_log, labels
from synthaug.workspace import Workspace


@dataclass(frozen=True, slots=True)
class FileCorrection:
    """What became of the rows of a file, and the fingerprints of the test set before and after the correction."""

    rows: LandmarkImport
    before: str
    after: str


def correct_from_file(workspace: Workspace, path: Path, annotator: str, reason: str) -> FileCorrection:
    """Correct the landmarks of labeled real test images to those of FILE.json (COCO keypoints) or FILE.csv.

    Rows of other images are skipped, and those that change nothing are counted. Raises UserError.
    """
    said = _required(reason)
    before = current_fingerprint(workspace)
    rows = import_landmarks(workspace, path, annotator, said)
    return FileCorrection(rows, before, current_fingerprint(workspace))


def correct_test_landmarks(
    workspace: Workspace, image_id: int, points: Places, annotator: str, reason: str
) -> Correction:
    """Correct the landmarks, in pixels, of a labeled real test image, and set the class that follows from their angles.

    The log keeps the earlier landmarks and the reason. If the class changes, the test set gets a new fingerprint (see
    :func:`.test_split.correct_test_label`). Raises UserError.
    """
    said = _required(reason)
    scheme = required_scheme(workspace)
    image = catalog.images_by_id(workspace.db, [image_id])[0]
    if image_id not in labels.frozen(workspace.db, [image_id]):
        raise UserError(
            f"image {image_id} is not a labeled real test image; place its landmarks like those of any other image"
        )
    answer = placed(scheme, points, image)
    known = labels.current(workspace.db, [image_id])[image_id]
    name = class_by_angles(scheme, answer.angles)
    index = known.class_index if name is None else catalog.class_index(workspace.db, name)
    if index is None:
        raise UserError(f"image {image_id} has no class; correct its label first")
    before = current_fingerprint(workspace)
    op_id = label_log.new_op_id("correction")
    entry = LabelEntry(image_id, "class", annotator, "human", op_id, index, reason=said, landmarks=answer)
    label_log.append(workspace.db, [entry])
    return Correction(image_id, workspace.classes[index], before, current_fingerprint(workspace))


def _required(reason: str) -> str:
    """The reason without surrounding space. Raises UserError if nothing is left."""
    if not reason.strip():
        raise UserError("the correction of a test image needs a reason; say why these landmarks are better")
    return reason.strip()
