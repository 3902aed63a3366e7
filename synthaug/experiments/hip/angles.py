"""Hip angles of images by source: captions, prompts, models or people. Readings are cached in runs/."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthaug.errors import UserError
from synthaug.experiments.lab import Lab
from synthaug.files import write_atomically
from synthaug.importers.hip.angles import hip_caption, hip_class, parse_angles
from synthaug.records import PEOPLE, LabelEntry, LabelSource, Split
from synthaug.stages.importing import IMPORTER
from synthaug.stages.view import ViewSpec
from synthaug.store import catalog, generations, label_log, labels, views

Angles = dict[str, tuple[float, float]]
"""SHA-256 of an image -> (left, right) in degrees."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The angles that one reader measured in the generated images."""

    annotator: str
    angles: Angles
    error: float | None = None  # mean absolute error in degrees on unseen images; None: unknown


def captioned_angles(lab: Lab, split: Split) -> Angles:
    """The angles in the captions of a split's real images. Raises UserError if a caption has none."""
    images = catalog.find_images(lab.workspace.db, split=split, origin="real")
    if not images:
        raise UserError(
            f"there are no real {split} images; put train/ and test/ into the folder, each with images and a "
            "metadata.csv (file_name,text)"
        )
    captions = catalog.captions(lab.workspace.db, [image.id for image in images])
    written = {image.sha256: parse_angles(captions.get(image.id, "")) for image in images}
    missing = [image.source for image in images if written[image.sha256] is None]
    if missing:
        raise UserError(
            f"{len(missing)} of {len(images)} captions of the {split} images contain no angles, such as that of "
            f"{missing[0]}; write them as in {hip_caption(112.03, 91.09)!r}"
        )
    return {sha256: angles for sha256, angles in written.items() if angles is not None}


def prompted_angles(lab: Lab, jobs: tuple[int, ...]) -> Angles:
    """The angles in the prompts of the images of these jobs."""
    hashes = {sha256 for job in jobs for sha256 in generations.images_of_job(lab.workspace.db, job)}
    images = [
        each for each in catalog.find_images(lab.workspace.db, origin="synthetic") if each.sha256 in hashes
    ]
    made = generations.of_images(lab.workspace.db, [image.id for image in images])
    found = {image.sha256: parse_angles(made[image.id].prompt) for image in images}
    return {sha256: angles for sha256, angles in found.items() if angles is not None}


def log_classes(
    lab: Lab, angles: Angles, threshold: float, annotator: str = IMPORTER, source: LabelSource = "imported"
) -> None:
    """Log the class that follows from each image's angles, unless it already has that label."""
    workspace = lab.workspace
    ids = {each.sha256: each.id for each in catalog.find_images(workspace.db) if each.sha256 in angles}
    known = labels.current(workspace.db, list(ids.values()))
    frozen = labels.frozen(workspace.db, list(ids.values()))
    reason = f"the class of the same angles at a threshold of {threshold} degrees"
    entries = []
    for sha256, image_id in ids.items():
        position = catalog.class_index(workspace.db, hip_class(*angles[sha256], threshold))
        current = known.get(image_id)
        if current is None or not _says(current, position, annotator):
            entry = LabelEntry(image_id, "class", annotator, source, label_log.new_op_id("hip"), position)
            entries.append(replace(entry, reason=reason) if image_id in frozen else entry)
    label_log.append(workspace.db, entries)


def _says(label: labels.CurrentLabel, position: int, annotator: str) -> bool:
    """Whether a label has this class and comes from a person or this annotator."""
    return label.class_index == position and (label.annotator == annotator or label.source in PEOPLE)


def frozen_view(lab: Lab, name: str, angles: Angles, threshold: float) -> str:
    """The name of a view of exactly these images and the classes of their angles; other angles get another view."""
    workspace = lab.workspace
    name = f"{name}-{digest(angles, threshold)}"
    if name not in {view.name for view in views.all_views(workspace.db)}:
        members = [
            (image.id, catalog.class_index(workspace.db, hip_class(*angles[image.sha256], threshold)))
            for image in catalog.find_images(workspace.db, split="train")
            if image.sha256 in angles
        ]
        spec = {**asdict(ViewSpec()), "angles": name, "threshold": threshold}
        views.create(workspace.db, name, spec, members)
    return name


def kept_reading(lab: Lab, name: str, make: Callable[[], Reading]) -> Reading:
    """The reading in runs/NAME.json, which is computed and written if it does not exist."""
    path = lab.workspace.root / "runs" / f"{name}.json"
    if not path.exists():
        write_atomically(path, (json.dumps(asdict(make()), indent=1) + "\n").encode())
    kept = json.loads(path.read_text(encoding="utf-8"))
    angles = {sha256: (float(left), float(right)) for sha256, (left, right) in kept["angles"].items()}
    return Reading(kept["annotator"], angles, kept["error"])


def peoples_reading(
    lab: Lab, predicted: Angles, corrections: Path | None, table: Path, threshold: float
) -> Reading:
    """The angles after correction by people: the rows of ``corrections``, and the images whose class they confirmed.

    An image with a confirmed class keeps its predicted angles. An image with another class, or labeled as reject or
    unsure, is left out unless ``corrections`` has its angles. If there is neither, writes ``table`` for correction and
    raises UserError.
    """
    given = {} if corrections is None else read_corrections(corrections, predicted)
    confirmed = _confirmed(lab, predicted, threshold)
    if not given and not confirmed:
        write_angles(table, predicted)
        raise UserError(
            f"{len(predicted)} generated images need a person: correct the columns left and right in {table} and add "
            "--option corrections=FILE, or label the images (synthaug serve, page Label), where images with a "
            "confirmed class keep their predicted angles; then run the same command again"
        )
    return Reading("people", confirmed | given)


def _confirmed(lab: Lab, predicted: Angles, threshold: float) -> Angles:
    """Predicted angles of the images for which a person confirmed the class of these angles."""
    db = lab.workspace.db
    ids = {
        each.id: each.sha256
        for each in catalog.find_images(db, origin="synthetic")
        if each.sha256 in predicted
    }
    found: Angles = {}
    for image_id, label in labels.current(db, list(ids)).items():
        angles = predicted[ids[image_id]]
        position = catalog.class_index(db, hip_class(*angles, threshold))
        if label.source in PEOPLE and label.class_index == position:
            found[ids[image_id]] = angles
    return found


def write_angles(path: Path, angles: Angles) -> None:
    """Write a CSV table with the columns image (SHA-256), left and right (degrees)."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["image", "left", "right"])
        table.writerows([sha256, f"{left:.2f}", f"{right:.2f}"] for sha256, (left, right) in angles.items())


def read_corrections(path: Path, known: Mapping[str, object]) -> Angles:
    """Read a corrected table of :func:`write_angles`. Raises UserError for an invalid row."""
    found: Angles = {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            for number, row in enumerate(csv.DictReader(file), start=2):
                sha256, angles = row.get("image") or "", (row.get("left") or "", row.get("right") or "")
                if sha256 not in known:
                    raise UserError(f"{path} line {number}: {sha256!r} is not one of the generated images")
                found[sha256] = _degrees(path, number, angles)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read: {error}") from error
    return found


def _degrees(path: Path, number: int, angles: tuple[str, str]) -> tuple[float, float]:
    try:
        left, right = float(angles[0]), float(angles[1])
    except ValueError:
        left = right = 0.0
    if not (0 < left < 180 and 0 < right < 180):
        raise UserError(
            f"{path} line {number}: the angles are {angles}; both must be degrees between 0 and 180"
        )
    return left, right


def as_targets(hashes: list[str], angles: Angles) -> NDArray[np.float64]:
    """The angles of these images as an array (N, 2) of left and right in degrees."""
    return np.array([angles[sha256] for sha256 in hashes], np.float64).reshape(-1, 2)


def digest(*what: object) -> str:
    """Eight hexadecimal digits of a hash over values that can be written as JSON."""
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:8]
