"""Readings: the labels that several people gave to the same image independently, and where they differ.

The first person who labels an image gives its first reading; further people give second readings. Labels that a
reviewer gives after seeing those of others (corrections, settlements) are not readings.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from synthaug.records import LabelValue
from synthaug.store.database import Database
from synthaug.store.labels import BY_PEOPLE
from synthaug.store.landmarks import landmarks_of

STANDING = (
    "SELECT image_id, annotator, value, class_position, created_at, reading, landmarks FROM standing_labels"
    f" WHERE {BY_PEOPLE}"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """The latest label of one reader of an image that was not undone."""

    annotator: str
    value: LabelValue
    class_index: int | None
    created_at: str
    angles: Mapping[str, float] = field(default_factory=dict)  # degrees, from the landmarks of the reading
    points: Mapping[str, tuple[float, ...]] = field(default_factory=dict)  # pixels of the image


@dataclass(frozen=True, slots=True)
class Readings:
    """All readings of an image, in the order of their readers."""

    image_id: int
    each: tuple[Reading, ...]
    settled: bool  # a reviewer has settled the conflict

    @property
    def differ(self) -> bool:
        """Whether two readings differ."""
        return len({(reading.value, reading.class_index) for reading in self.each}) > 1

    @property
    def conflict(self) -> bool:
        """Whether the readings differ and no reviewer has settled the conflict."""
        return self.differ and not self.settled


def of_images(db: Database, image_ids: Sequence[int]) -> dict[int, Readings]:
    """The readings of the images among ``image_ids`` that have any, by id."""
    return _grouped(db.query_among(f"{STANDING} AND image_id IN (:ids) ORDER BY id", image_ids))


def of_everything(db: Database) -> dict[int, Readings]:
    """The readings of all images that have any, by id."""
    return _grouped(db.query(f"{STANDING} ORDER BY id"))


def conflicts(db: Database) -> list[int]:
    """Ids, ascending, of the images whose readings are in conflict."""
    rows = db.query("SELECT DISTINCT image_id FROM labels WHERE reading = 'second' ORDER BY image_id")
    found = of_images(db, [row["image_id"] for row in rows])
    return [image_id for image_id, readings in found.items() if readings.conflict]


def answered_by_others(db: Database, person: str) -> dict[int, str]:
    """Id -> SHA-256 of the images whose current label another person gave; frozen ones are left out."""
    rows = db.query(
        "SELECT images.id, sha256 FROM current_labels JOIN images ON images.id = current_labels.image_id"
        f" WHERE current_labels.{BY_PEOPLE} AND annotator <> ?"
        " AND images.id NOT IN (SELECT image_id FROM frozen_labels)",
        [person],
    )
    return {row["id"]: row["sha256"] for row in rows}


def _grouped(rows: Sequence[sqlite3.Row]) -> dict[int, Readings]:
    by_image: dict[int, dict[str, Reading]] = {}
    settled: set[int] = set()
    for row in rows:
        image_id, annotator = row["image_id"], row["annotator"]
        read = by_image.setdefault(image_id, {})
        if row["reading"] == "settlement":
            settled.add(image_id)
        elif not read or annotator == next(iter(read)) or row["reading"] == "second":
            read[annotator] = _reading(row)
    return {
        image_id: Readings(image_id, tuple(read.values()), image_id in settled)
        for image_id, read in sorted(by_image.items())
    }


def _reading(row: sqlite3.Row) -> Reading:
    landmarks = landmarks_of(row["landmarks"])
    angles, points = ({}, {}) if landmarks is None else (landmarks.angles, landmarks.points)
    return Reading(row["annotator"], row["value"], row["class_position"], row["created_at"], angles, points)
