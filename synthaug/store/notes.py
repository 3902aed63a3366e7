"""Notes and flags on images. They are appended; the latest note of each person is the valid one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from synthaug.store.database import Database, now


@dataclass(frozen=True, slots=True)
class Note:
    """The note of one person on an image, and whether the person flagged it."""

    image_id: int
    annotator: str
    text: str
    flagged: bool
    created_at: str


LATEST = (
    "SELECT image_id, annotator, text, flagged, created_at FROM notes AS this"
    " WHERE (text <> '' OR flagged = 1) AND NOT EXISTS (SELECT 1 FROM notes AS later"
    " WHERE later.image_id = this.image_id AND later.annotator = this.annotator AND later.id > this.id)"
)


def add(db: Database, image_id: int, annotator: str, text: str, *, flagged: bool) -> None:
    """Append a note; an empty text without a flag removes the earlier note of the person."""
    row = {
        "image_id": image_id,
        "annotator": annotator,
        "text": text,
        "flagged": int(flagged),
        "created_at": now(),
    }
    db.insert("notes", [row])


def of_images(db: Database, image_ids: Sequence[int]) -> dict[int, list[Note]]:
    """The valid notes on these images by image id, in the order in which they were written."""
    found: dict[int, list[Note]] = {}
    for row in db.query_among(f"{LATEST} AND image_id IN (:ids) ORDER BY id", image_ids):
        note = Note(row[0], row[1], row[2], bool(row[3]), row[4])
        found.setdefault(note.image_id, []).append(note)
    return found


def flagged(db: Database) -> list[int]:
    """Ids, ascending, of the images that at least one person has flagged."""
    rows = db.query(f"SELECT DISTINCT image_id FROM ({LATEST}) WHERE flagged = 1 ORDER BY image_id")
    return [int(row[0]) for row in rows]
