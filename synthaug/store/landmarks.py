"""Landmarks in the database: those that people placed, in the label log, and those that models predict."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from synthaug.parsing import parse_json
from synthaug.records import LabelSource, Landmarks, Split
from synthaug.store.database import Database, now

Points = Mapping[str, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class PlacedLandmarks:
    """The current landmarks of an image, and who placed them."""

    image_id: int
    landmarks: Landmarks
    annotator: str
    source: LabelSource
    created_at: str


@dataclass(frozen=True, slots=True)
class PredictedLandmarks:
    """The landmarks that a model predicts for an image, in pixels; ``doubt`` is the expected error in pixels."""

    image_id: int
    model_id: int
    model: str
    points: Points
    doubt: float | None


def landmark_text(landmarks: Landmarks | None) -> str | None:
    """Landmarks in the format of the log and its hashes: JSON with sorted keys and no spaces."""
    if landmarks is None:
        return None
    return json.dumps(asdict(landmarks), sort_keys=True, separators=(",", ":"))


def landmarks_of(text: str | None) -> Landmarks | None:
    """Parse the text that :func:`landmark_text` wrote. Raises UserError."""
    return None if text is None else parse_json(Landmarks, text, "the landmarks", unknown="forbid")


def current(db: Database, image_ids: Sequence[int]) -> dict[int, PlacedLandmarks]:
    """The current landmarks of the images among ``image_ids`` that have any, by id."""
    found: dict[int, PlacedLandmarks] = {}
    for row in db.query_among(
        "SELECT image_id, landmarks, annotator, source, created_at FROM current_landmarks WHERE image_id IN (:ids)",
        image_ids,
    ):
        landmarks = parse_json(Landmarks, row["landmarks"], f"the landmarks of image {row['image_id']}")
        found[row["image_id"]] = PlacedLandmarks(row["image_id"], landmarks, *row[2:])
    return found


def placed_images(db: Database, newest: int | None = None) -> list[int]:
    """Ids of the images with landmarks that were not rejected, in order of placement; at most the ``newest`` ones."""
    rows = db.query(
        "SELECT current_landmarks.image_id FROM current_landmarks"
        " JOIN current_labels ON current_labels.image_id = current_landmarks.image_id"
        " WHERE current_labels.value <> 'reject' ORDER BY current_landmarks.label_id DESC LIMIT ?",
        [-1 if newest is None else newest],
    )
    return [row["image_id"] for row in reversed(rows)]


def add_predictions(
    db: Database, model_id: int, predicted: Mapping[int, tuple[Points, float | None]]
) -> None:
    """Store the predictions of a model by image id: points and doubt in pixels. Earlier ones are replaced."""
    with db.transaction() as connection:
        connection.executemany(
            "INSERT INTO landmark_predictions (model_id, image_id, points, doubt, created_at) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (model_id, image_id) DO UPDATE"
            " SET points = excluded.points, doubt = excluded.doubt, created_at = excluded.created_at",
            [
                [model_id, image_id, json.dumps(dict(points)), doubt, now()]
                for image_id, (points, doubt) in predicted.items()
            ],
        )


def predicted(db: Database, image_ids: Sequence[int]) -> dict[int, PredictedLandmarks]:
    """The predictions of the newest landmark model that has any, for the images among ``image_ids``."""
    found: dict[int, PredictedLandmarks] = {}
    for row in db.query_among(
        "SELECT image_id, model_id, models.name, points, doubt FROM landmark_predictions"
        " JOIN models ON models.id = model_id"
        " WHERE model_id = (SELECT max(model_id) FROM landmark_predictions) AND image_id IN (:ids)",
        image_ids,
    ):
        points = parse_json(dict[str, tuple[float, ...]], row["points"], "predicted landmarks")
        found[row["image_id"]] = PredictedLandmarks(
            row["image_id"], row["model_id"], row["name"], points, row["doubt"]
        )
    return found


def count_placed(db: Database, scheme: str, split: Split, since: str = "") -> int:
    """The number of images of a split that have points of this scheme placed after ``since``, and were not rejected."""
    row = db.one(
        "SELECT count(*) AS placed FROM current_landmarks"
        " JOIN current_labels ON current_labels.image_id = current_landmarks.image_id"
        " JOIN images ON images.id = current_landmarks.image_id"
        " WHERE current_labels.value <> 'reject' AND split = ? AND current_landmarks.created_at > ?"
        " AND json_extract(landmarks, '$.scheme') = ? AND json_extract(landmarks, '$.points') <> '{}'",
        [split, since, scheme],
    )
    return 0 if row is None else int(row["placed"])


def doubts(db: Database) -> dict[int, float]:
    """The error in pixels that the newest landmark model with predictions expects, by image id."""
    rows = db.query(
        "SELECT image_id, doubt FROM landmark_predictions"
        " WHERE model_id = (SELECT max(model_id) FROM landmark_predictions) AND doubt IS NOT NULL"
    )
    return {row["image_id"]: float(row["doubt"]) for row in rows}
