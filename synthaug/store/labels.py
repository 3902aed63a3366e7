"""Reading the append-only label log, and the labels that follow from it."""

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
"""SQL condition: the label was given by a person."""

LOGGED = (
    "id, image_id, value, class_position, annotator, source, op_id, undoes, model_id, reason, created_at"
    ", landmarks, reading"
)


@dataclass(frozen=True, slots=True)
class LoggedLabel:
    """An entry of the label log."""

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
    """The label of an image that is valid at present."""

    image_id: int
    value: LabelValue
    class_index: int | None
    annotator: str
    source: LabelSource
    created_at: str


@dataclass(frozen=True, slots=True)
class UndoableLabel:
    """A label that a person can undo, and the label (``previous_...``) that would then be the current one."""

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
    """An image and its class."""

    image_id: int
    sha256: str
    class_index: int


@dataclass(frozen=True, slots=True)
class KnownImage:
    """An image, and the class of its label, or else the class it was generated for; None without either."""

    image_id: int
    sha256: str
    split: Split
    origin: Origin
    value: LabelValue | None  # None: the image has no label
    class_index: int | None


@dataclass(frozen=True, slots=True)
class ClassCounts:
    """Images of one class. Synthetic images count under their label, or else under the class they were made for."""

    index: int
    name: str
    train_real: int
    test_real: int
    synthetic: int
    accepted: int
    rejected: int
    unsure: int
    unreviewed: int


def by_op_id(db: Database, op_id: str) -> LoggedLabel | None:
    """The entry with this operation id, or None."""
    row = db.one(
        f"SELECT {LOGGED} FROM labels WHERE op_id = ?",
        [op_id],
    )
    return None if row is None else LoggedLabel(*row)


def undo_of(db: Database, label_id: int) -> LoggedLabel | None:
    """The entry that undoes the given one, or None."""
    row = db.one(f"SELECT {LOGGED} FROM labels WHERE undoes = ?", [label_id])
    return None if row is None else LoggedLabel(*row)


def frozen(db: Database, image_ids: Sequence[int]) -> set[int]:
    """The labeled real test images among ``image_ids``, whose labels only an owner can correct."""
    rows = db.query_among("SELECT image_id FROM frozen_labels WHERE image_id IN (:ids)", image_ids)
    return {row["image_id"] for row in rows}


def labeled_before(db: Database, model_id: int, image_ids: Sequence[int]) -> set[int]:
    """The images among ``image_ids`` that a model labeled automatically, including labels that were undone."""
    rows = db.query_among(
        "SELECT DISTINCT image_id FROM labels WHERE source = 'automatic' AND value = 'class'"
        " AND model_id = ? AND image_id IN (:ids)",
        image_ids,
        [model_id],
    )
    return {row["image_id"] for row in rows}


def history(db: Database, image_id: int) -> list[LoggedLabel]:
    """All entries of an image, oldest first."""
    rows = db.query(
        f"SELECT {LOGGED} FROM labels WHERE image_id = ? ORDER BY id",
        [image_id],
    )
    return [LoggedLabel(*row) for row in rows]


def counting_id(db: Database, image_id: int) -> int | None:
    """The id of the entry that is the current label of an image; None if it has no label."""
    row = db.one("SELECT label_id FROM current_label_ids WHERE image_id = ?", [image_id])
    return None if row is None else int(row[0])


def current(db: Database, image_ids: Sequence[int]) -> dict[int, CurrentLabel]:
    """The current labels of the images among ``image_ids`` that have one, by id."""
    rows = db.query_among(
        "SELECT image_id, value, class_position, annotator, source, created_at FROM current_labels"
        " WHERE image_id IN (:ids)",
        image_ids,
    )
    return {row["image_id"]: CurrentLabel(*row) for row in rows}


def undoable(db: Database, annotator: str, before: int | None, limit: int) -> list[UndoableLabel]:
    """The labels that ``annotator`` can undo, newest first, older than the entry ``before``.

    Labels that are frozen by now are left out. The previous label is the one that is valid after this label and all
    later ones of the same annotator on the image are undone.
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
    return [_undoable(row) for row in rows]


def _undoable(row: sqlite3.Row) -> UndoableLabel:
    values: list[Any] = list(row)
    values[7] = landmarks_of(values[7])
    return UndoableLabel(*values)


def annotators(db: Database) -> list[str]:
    """The annotators of current labels, ordered by name."""
    return [row[0] for row in db.query("SELECT DISTINCT annotator FROM current_labels ORDER BY annotator")]


def answers_since(db: Database, label_id: int) -> int:
    """The number of labels that people gave after an entry of the log."""
    sql = f"SELECT count(*) FROM labels WHERE id > ? AND {BY_PEOPLE} AND value <> 'undo'"
    return int(db.query(sql, [label_id])[0][0])


def last_id(db: Database) -> int:
    """The id of the last entry of the log; 0 if it is empty."""
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
    """Images of a split and origin that are labeled with a class, oldest first; of these jobs, if there are any."""
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
    """Synthetic images without a label of any kind, with the class they were generated for.

    ``jobs`` limits them to these generation jobs; if empty, images of all jobs are returned.
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
    """SQL condition: an image was generated by one of the jobs; empty without jobs."""
    marks = ",".join("?" * len(jobs))
    return f" AND images.id IN (SELECT image_id FROM generations WHERE job_id IN ({marks}))" if jobs else ""


def by_hash(db: Database, hashes: Sequence[str]) -> dict[str, KnownImage]:
    """The existing images among ``hashes``, by hash."""
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
    """By origin: the number of images with a label of any kind, and the number of images."""
    rows = db.query("SELECT origin, labeled, images FROM image_counts")
    return {"real": (0, 0), "synthetic": (0, 0), **{row[0]: (int(row[1]), int(row[2])) for row in rows}}


def counts_version(db: Database) -> str:
    """A text that changes whenever the result of :func:`class_counts` changes; images and classes are never removed."""
    row = db.one(
        "SELECT (SELECT max(id) FROM images), (SELECT max(id) FROM labels), (SELECT count(*) FROM generations),"
        " (SELECT count(*) FROM classes)"
    )
    return "" if row is None else "/".join(str(each) for each in row)


def class_counts(db: Database) -> list[ClassCounts]:
    """The number of images of each class, in the order of the classes."""
    rows = db.query(
        f"""
        WITH effective AS (
            SELECT images.split, images.origin, current_labels.value, current_labels.source,
                coalesce(current_labels.class_position, {PROMPTED_CLASS}) AS class_position
            FROM images LEFT JOIN current_labels ON current_labels.image_id = images.id
        )
        SELECT classes.position, classes.name,
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
    return [ClassCounts(*row) for row in rows]
