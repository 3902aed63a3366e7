"""The append-only label log and what follows from it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

from synthaug.records import PEOPLE, LabelReading, LabelSource, LabelValue, Landmarks, Origin, Split
from synthaug.store.database import Database
from synthaug.store.generations import PROMPTED_CLASS
from synthaug.store.landmarks import landmarks_of

BY_PEOPLE = f"source IN ({', '.join(map(repr, PEOPLE))})"
"""SQL: a person gave the label."""

LOGGED = (
    "id, image_id, value, class_position, annotator, source, op_id, undoes, model_id, reason, created_at"
    ", landmarks, reading"
)


@dataclass(frozen=True, slots=True)
class LoggedLabel:
    """A line of the log as it stands."""

    id: int
    image_id: int
    value: LabelValue
    class_index: int | None
    annotator: str
    source: LabelSource
    op_id: str
    undoes: int | None
    model_id: int | None
    reason: str | None
    created_at: str
    landmarks: str | None = None  # JSON, see store.landmarks
    reading: LabelReading | None = None


@dataclass(frozen=True, slots=True)
class CurrentLabel:
    """The label of an image that counts, of all that were ever given to it."""

    image_id: int
    value: LabelValue
    class_index: int | None
    annotator: str
    source: LabelSource
    created_at: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A label that a person gave and did not take back; what the image's label would be without it."""

    id: int
    op_id: str
    image_id: int
    value: LabelValue
    class_index: int | None
    source: LabelSource
    model_id: int | None
    landmarks: Landmarks | None
    previous_value: LabelValue | None
    previous_class: int | None


@dataclass(frozen=True, slots=True)
class LabeledImage:
    """An image with the class it counts as."""

    image_id: int
    sha256: str
    class_index: int


@dataclass(frozen=True, slots=True)
class KnownImage:
    """An image, and the class it counts as: that of its label, else the one it was made for; None: neither."""

    image_id: int
    sha256: str
    split: Split
    origin: Origin
    value: LabelValue | None  # None: nobody labeled it
    class_index: int | None


def by_op_id(db: Database, op_id: str) -> LoggedLabel | None:
    """The log entry that a client operation made."""
    row = db.one(
        f"SELECT {LOGGED} FROM labels WHERE op_id = ?",
        [op_id],
    )
    return None if row is None else LoggedLabel(*row)


def undo_of(db: Database, label_id: int) -> LoggedLabel | None:
    """The later entry that took this one back."""
    row = db.one(f"SELECT {LOGGED} FROM labels WHERE undoes = ?", [label_id])
    return None if row is None else LoggedLabel(*row)


def frozen(db: Database, image_ids: Sequence[int]) -> set[int]:
    """Those of these images whose label only an owner corrects: labeled real test images."""
    rows = db.query_among("SELECT image_id FROM frozen_labels WHERE image_id IN (:ids)", image_ids)
    return {row["image_id"] for row in rows}


def labeled_before(db: Database, model_id: int, image_ids: Sequence[int]) -> set[int]:
    """Those of these images to which this model gave a label, whether or not it was taken back."""
    rows = db.query_among(
        "SELECT DISTINCT image_id FROM labels WHERE source = 'automatic' AND value = 'class'"
        " AND model_id = ? AND image_id IN (:ids)",
        image_ids,
        [model_id],
    )
    return {row["image_id"] for row in rows}


def history(db: Database, image_id: int) -> list[LoggedLabel]:
    """Everything ever said about an image, oldest first."""
    rows = db.query(
        f"SELECT {LOGGED} FROM labels WHERE image_id = ? ORDER BY id",
        [image_id],
    )
    return [LoggedLabel(*row) for row in rows]


def counting_id(db: Database, image_id: int) -> int | None:
    """The id of the log entry that counts for an image; None where nothing was said, or all was taken back."""
    row = db.one("SELECT label_id FROM current_label_ids WHERE image_id = ?", [image_id])
    return None if row is None else int(row[0])


def current(db: Database, image_ids: Sequence[int]) -> dict[int, CurrentLabel]:
    """The label that counts, for those of these images that have one."""
    rows = db.query_among(
        "SELECT image_id, value, class_position, annotator, source, created_at FROM current_labels"
        " WHERE image_id IN (:ids)",
        image_ids,
    )
    return {row["image_id"]: CurrentLabel(*row) for row in rows}


def answers(db: Database, annotator: str, before: int | None, limit: int) -> list[Answer]:
    """What ``annotator`` said, newest first, of entries older than ``before``; without what is frozen by now.

    A previous label is what counts once this one and the annotator's later ones on the image are taken back.
    """
    rows = db.query(
        f"""
        SELECT answer.id, answer.op_id, answer.image_id, answer.value, answer.class_position, answer.source,
            answer.model_id, answer.landmarks, earlier.value, earlier.class_position
        FROM (
            SELECT * FROM standing_labels
            WHERE annotator = :annotator AND {BY_PEOPLE} AND id < :before
                AND image_id NOT IN (SELECT image_id FROM frozen_labels)
            ORDER BY id DESC LIMIT :limit
        ) AS answer
        LEFT JOIN labels AS earlier ON earlier.id = (
            SELECT id FROM standing_labels AS other
            WHERE other.image_id = answer.image_id AND (other.id < answer.id OR other.annotator <> :annotator)
            ORDER BY rank DESC, id DESC LIMIT 1
        )
        ORDER BY answer.id DESC
        """,
        {"annotator": annotator, "before": 2**62 if before is None else before, "limit": limit},
    )
    return [_answer(row) for row in rows]


def _answer(row: sqlite3.Row) -> Answer:
    values: list[Any] = list(row)
    values[7] = landmarks_of(values[7])
    return Answer(*values)


def annotators(db: Database) -> list[str]:
    """Whose labels count on some image, by name."""
    return [row[0] for row in db.query("SELECT DISTINCT annotator FROM current_labels ORDER BY annotator")]


def answers_since(db: Database, label_id: int) -> int:
    """How many answers people gave after an entry of the log."""
    sql = f"SELECT count(*) FROM labels WHERE id > ? AND {BY_PEOPLE} AND value <> 'undo'"
    return int(db.query(sql, [label_id])[0][0])


def last_id(db: Database) -> int:
    """The number of the last entry of the log; 0 before any."""
    return int(db.query("SELECT coalesce(max(id), 0) FROM labels")[0][0])


def has_two_classes(db: Database) -> bool:
    """Whether training images of at least two classes are labeled."""
    rows = db.query(
        "SELECT DISTINCT class_position FROM current_labels JOIN images ON images.id = current_labels.image_id"
        " WHERE value = 'class' AND split = 'train' LIMIT 2"
    )
    return len(rows) == 2


def labeled_images(
    db: Database, *, split: Split, origin: Origin, jobs: Sequence[int] = ()
) -> list[LabeledImage]:
    """Images of a split and origin whose current label is a class, oldest first; of these generation jobs, if any."""
    rows = db.query(
        "SELECT images.id, images.sha256, current_labels.class_position FROM images"
        " JOIN current_labels ON current_labels.image_id = images.id"
        " WHERE current_labels.value = 'class' AND images.split = ? AND images.origin = ?"
        f"{_of_jobs(jobs)} ORDER BY images.id",
        [split, origin, *jobs],
    )
    return [LabeledImage(*row) for row in rows]


def labeled_for_training(db: Database) -> list[LabeledImage]:
    """Every training image whose current label is a class: the real ones, then the synthetic ones."""
    return [each for origin in get_args(Origin) for each in labeled_images(db, split="train", origin=origin)]


def prompted_images(db: Database, jobs: Sequence[int] = ()) -> list[LabeledImage]:
    """Synthetic images that nobody labeled, rejected or doubted, with the class they were made for.

    ``jobs``: only those that one of these generation jobs made; none: of any.
    """
    rows = db.query(
        "SELECT images.id, images.sha256, min(generations.class_position) FROM images"
        " JOIN generations ON generations.image_id = images.id"
        " WHERE images.origin = 'synthetic' AND images.id NOT IN (SELECT image_id FROM current_labels)"
        f" AND generations.class_position IS NOT NULL{_of_jobs(jobs)} GROUP BY images.id ORDER BY images.id",
        list(jobs),
    )
    return [LabeledImage(*row) for row in rows]


def _of_jobs(jobs: Sequence[int]) -> str:
    """The condition that one of so many jobs made an image; nothing for none."""
    marks = ",".join("?" * len(jobs))
    return f" AND images.id IN (SELECT image_id FROM generations WHERE job_id IN ({marks}))" if jobs else ""


def by_hash(db: Database, hashes: Sequence[str]) -> dict[str, KnownImage]:
    """Those of these images that are here, by hash."""
    rows = db.query_among(
        "SELECT images.id, images.sha256, images.split, images.origin, current_labels.value,"
        f" CASE WHEN current_labels.value IS NULL THEN {PROMPTED_CLASS}"
        " ELSE current_labels.class_position END"
        " FROM images LEFT JOIN current_labels ON current_labels.image_id = images.id"
        " WHERE images.sha256 IN (:ids)",
        hashes,
    )
    return {row["sha256"]: KnownImage(*row) for row in rows}


def review_progress(db: Database) -> dict[Origin, tuple[int, int]]:
    """By origin: how many images have a current label of any kind, and how many there are."""
    rows = db.query("SELECT origin, labeled, images FROM image_counts")
    return {"real": (0, 0), "synthetic": (0, 0), **{row[0]: (int(row[1]), int(row[2])) for row in rows}}


def class_table(db: Database) -> list[dict[str, Any]]:
    """A row a class: real images by split; synthetic ones by what was said of them."""
    rows = db.query(
        f"""
        WITH effective AS (
            SELECT images.split, images.origin, current_labels.value, current_labels.source,
                coalesce(current_labels.class_position, {PROMPTED_CLASS}) AS class_position
            FROM images LEFT JOIN current_labels ON current_labels.image_id = images.id
        )
        SELECT classes.position AS "index", classes.name,
            count(*) FILTER (WHERE origin = 'real' AND split = 'train') AS train_real,
            count(*) FILTER (WHERE origin = 'real' AND split = 'test') AS test_real,
            count(*) FILTER (WHERE origin = 'synthetic') AS synthetic,
            count(*) FILTER (WHERE origin = 'synthetic' AND value = 'class') AS accepted,
            count(*) FILTER (WHERE origin = 'synthetic' AND value = 'reject') AS rejected,
            count(*) FILTER (WHERE origin = 'synthetic' AND value = 'unsure') AS unsure,
            count(*) FILTER (WHERE origin = 'synthetic' AND value IS NULL) AS unreviewed
        FROM classes LEFT JOIN effective ON effective.class_position = classes.position
        GROUP BY classes.position ORDER BY classes.position
        """
    )
    return [dict(row) for row in rows]
