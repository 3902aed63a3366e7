"""What a person took back and can say again: read from the log, so that it outlives a reload."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from synthaug.records import LabelSource, LabelValue, Landmarks
from synthaug.store.database import Database
from synthaug.store.labels import BY_PEOPLE
from synthaug.store.landmarks import landmarks_of


@dataclass(frozen=True, slots=True)
class TakenBack:
    """An answer that was undone, as it was given."""

    image_id: int
    value: LabelValue
    class_index: int | None
    source: LabelSource
    model_id: int | None
    landmarks: Landmarks | None


def taken_back(db: Database, annotator: str) -> list[TakenBack]:
    """What ``annotator`` undid of their own answers since the last new one, the last undone first.

    The same answer to the same image again, in turn, is a redo and keeps the rest; any other answer ends it.
    """
    rows = db.query(
        "SELECT id, image_id, value, class_position, source, model_id, landmarks, undoes FROM labels"
        f" WHERE annotator = ? AND {BY_PEOPLE} ORDER BY id",
        [annotator],
    )
    said: dict[int, sqlite3.Row] = {}
    stack: list[sqlite3.Row] = []
    for row in rows:
        if row["value"] == "undo":
            if row["undoes"] in said:
                stack.append(said[row["undoes"]])
            continue
        said[row["id"]] = row
        if stack and _same(stack[-1], row):
            stack.pop()
        else:
            stack.clear()
    return [_taken_back(row) for row in reversed(stack)]


def _taken_back(row: sqlite3.Row) -> TakenBack:
    said = (row["value"], row["class_position"], row["source"], row["model_id"])
    return TakenBack(row["image_id"], *said, landmarks_of(row["landmarks"]))


def _same(first: sqlite3.Row, second: sqlite3.Row) -> bool:
    return all(first[name] == second[name] for name in ("image_id", "value", "class_position"))
