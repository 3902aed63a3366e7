"""Appending to the label log, which only this module writes, and checking the entries."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from uuid import uuid4

from synthaug.errors import LabelRefused
from synthaug.records import LabelEntry
from synthaug.store import catalog, labels, landmarks
from synthaug.store.database import Database, now
from synthaug.store.label_hash import label_hash
from synthaug.store.landmarks import landmark_text

CONTENT = ("image_id", "value", "class_index", "annotator", "source", "op_id", "undoes", "model_id", "reason")
"""Fields by which a retry is recognised; ``reading`` is not among them, because it is determined when recording."""


def new_op_id(kind: str) -> str:
    """A unique operation id."""
    return f"{kind}:{uuid4().hex}"


def append(db: Database, entries: Sequence[LabelEntry]) -> list[int]:
    """Append all entries or none; returns their ids in the log once they are on the disk.

    An entry whose ``op_id`` is in the log is a retry: nothing is appended, and the id of the existing entry is
    returned. Raises LabelRefused if that entry differs, for a labeled real test image unless a ``reason`` is given,
    and for an image, class, model or undone entry that does not exist.
    """
    return db.grouped(lambda connection: _Appending(db, connection, entries).run())


class _Appending:
    """One call of :func:`append`, within its transaction."""

    def __init__(self, db: Database, connection: sqlite3.Connection, entries: Sequence[LabelEntry]) -> None:
        self.db, self.connection, self.entries = db, connection, entries
        self.images = catalog.known_images(db, [entry.image_id for entry in entries])
        self.classes = catalog.class_names(db)
        head = connection.execute("SELECT entries, hash FROM label_head").fetchone()
        self.count, self.hash = int(head["entries"]), str(head["hash"])

    def run(self) -> list[int]:
        """Append the entries, and store the hash of the last one."""
        ids = [self._retried(entry) or self._append(entry) for entry in self.entries]
        self.connection.execute("UPDATE label_head SET entries = ?, hash = ?", [self.count, self.hash])
        return ids

    def _retried(self, entry: LabelEntry) -> int | None:
        known = labels.by_op_id(self.db, entry.op_id)
        if known is None:
            return None
        differing = [name for name in CONTENT if getattr(known, name) != getattr(entry, name)]
        if known.landmarks != landmark_text(entry.landmarks):
            differing.append("landmarks")
        if differing:
            name = differing[0]
            raise LabelRefused(
                f"the operation id {entry.op_id!r} was used for another label, whose {name} is "
                f"{getattr(known, name)!r}, not {getattr(entry, name)!r}; give every label its own id",
                entry.op_id,
            )
        return known.id

    def _append(self, entry: LabelEntry) -> int:
        if not entry.annotator.strip():
            raise LabelRefused("a label needs the name of its annotator", entry.op_id)
        if entry.landmarks is not None and entry.value != "class":
            raise LabelRefused(f"landmarks need the label 'class', not {entry.value!r}", entry.op_id)
        if entry.image_id not in self.images:
            raise LabelRefused(f"there is no image {entry.image_id}", entry.op_id)
        self._refuse_frozen(entry)
        sha256 = self.images[entry.image_id].sha256
        content = (entry.value, self._class_name(entry), entry.annotator, entry.source, entry.op_id)
        references = (self._undone_op_id(entry), self._model_revision(entry), entry.reason)
        time = entry.created_at or now()
        placed = landmark_text(entry.landmarks)
        cursor = self.connection.execute(
            "INSERT INTO labels (image_id, value, class_position, annotator, source, op_id, undoes, model_id,"
            " reason, created_at, landmarks, reading, previous_hash)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [*(getattr(entry, name) for name in CONTENT), time, placed, entry.reading, self.hash],
        )
        self.hash = label_hash(self.hash, sha256, *content, *references, time, placed, entry.reading)
        self.count += 1
        return int(cursor.lastrowid or 0)

    def _refuse_frozen(self, entry: LabelEntry) -> None:
        image = self.images[entry.image_id]
        if entry.reason is not None or image.split != "test":
            return
        if labels.frozen(self.db, [image.id]) and not self._adds_landmarks(entry):
            raise LabelRefused(
                f"image {image.id} is a real test image, which every model is measured on, so its label is frozen; "
                "an owner can correct it on the Label page, with a reason",
                entry.op_id,
            )

    def _adds_landmarks(self, entry: LabelEntry) -> bool:
        """Whether the entry adds the first landmarks of an image without changing its class."""
        if entry.landmarks is None or landmarks.current(self.db, [entry.image_id]):
            return False
        return labels.current(self.db, [entry.image_id])[entry.image_id].class_index == entry.class_index

    def _class_name(self, entry: LabelEntry) -> str | None:
        index = entry.class_index
        if entry.value != "class" and index is not None:
            raise LabelRefused(
                f"a label {entry.value!r} has no class, but the class index {index} was given", entry.op_id
            )
        if entry.value != "class":
            return None
        if index is None or not 0 <= index < len(self.classes):
            raise LabelRefused(
                f"the class index is {index}; it must be in 0 .. {len(self.classes) - 1}", entry.op_id
            )
        return self.classes[index]

    def _undone_op_id(self, entry: LabelEntry) -> str | None:
        if entry.undoes is None:
            return None
        undone = self.db.one("SELECT image_id, value, op_id FROM labels WHERE id = ?", [entry.undoes])
        if undone is None or undone["image_id"] != entry.image_id or undone["value"] == "undo":
            raise LabelRefused(
                f"entry {entry.undoes} is not a label of image {entry.image_id}, so it cannot be undone",
                entry.op_id,
            )
        if labels.undo_of(self.db, entry.undoes) is not None:
            raise LabelRefused(f"entry {entry.undoes} has already been undone", entry.op_id)
        return str(undone["op_id"])

    def _model_revision(self, entry: LabelEntry) -> str | None:
        if entry.model_id is None:
            return None
        model = self.db.one("SELECT revision FROM models WHERE id = ?", [entry.model_id])
        if model is None:
            raise LabelRefused(f"there is no model with the id {entry.model_id}", entry.op_id)
        return str(model["revision"])
