"""The undone labels that a person can redo, computed from the label log so that they survive a reload."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from synthaug.records import LabelSource, LabelValue, Landmarks
from synthaug.store.database import Database
from synthaug.store.labels import BY_PEOPLE
from synthaug.store.landmarks import landmarks_of


@dataclass(frozen=True, slots=True)
class RedoableLabel:
    """A label that was undone."""

    image_id: int
    value: LabelValue
    class_index: int | None
    source: LabelSource
    model_id: int | None
    landmarks: Landmarks | None


def redoable(db: Database, annotator: str) -> list[RedoableLabel]:
    """The labels that ``annotator`` has undone since their last new label, the last undone first.

    Giving the first of these labels again is a redo and keeps the others; any other label empties the list.
    """
    rows = db.query(
        "SELECT id, image_id, value, class_position, source, model_id, landmarks, undoes FROM labels"
        f" WHERE annotator = ? AND {BY_PEOPLE} ORDER BY id",
        [annotator],
    )
    given: dict[int, sqlite3.Row] = {}
    stack: list[sqlite3.Row] = []
    for row in rows:
        if row["value"] == "undo":
            if row["undoes"] in given:
                stack.append(given[row["undoes"]])
            continue
        given[row["id"]] = row
        if stack and _same(stack[-1], row):
            stack.pop()
        else:
            stack.clear()
    return [_redoable(row) for row in reversed(stack)]


def _redoable(row: sqlite3.Row) -> RedoableLabel:
    content = (row["value"], row["class_position"], row["source"], row["model_id"])
    return RedoableLabel(row["image_id"], *content, landmarks_of(row["landmarks"]))


def _same(first: sqlite3.Row, second: sqlite3.Row) -> bool:
    return all(first[name] == second[name] for name in ("image_id", "value", "class_position"))
