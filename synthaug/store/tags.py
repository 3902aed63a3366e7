"""Tags on images: a log of who added or removed a tag, and the current tags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from synthaug.store.database import Database, now


@dataclass(frozen=True, slots=True)
class Tagging:
    """An entry of the tag log of an image."""

    tag: str
    tagged: bool  # False: removed
    person: str
    created_at: str


def put(db: Database, image_ids: Sequence[int], tag: str, tagged: bool, person: str) -> int:
    """Add a tag to images, or remove it; returns the number of images that changed. Only changes are logged."""
    time = now()
    with db.transaction() as connection:
        have = set(ids(db, tag))
        changed = [each for each in dict.fromkeys(map(int, image_ids)) if (each in have) != tagged]
        connection.executemany(
            "INSERT INTO tag_log (image_id, tag, tagged, person, created_at) VALUES (?, ?, ?, ?, ?)",
            [(each, tag, int(tagged), person, time) for each in changed],
        )
    return len(changed)


def counts(db: Database) -> dict[str, int]:
    """The number of images with each tag, ordered by tag."""
    rows = db.query("SELECT tag, count(*) FROM current_tags GROUP BY tag ORDER BY tag")
    return {row[0]: row[1] for row in rows}


def ids(db: Database, tag: str) -> list[int]:
    """Ids, ascending, of the images with a tag."""
    rows = db.query("SELECT image_id FROM current_tags WHERE tag = ? ORDER BY image_id", [tag])
    return [row[0] for row in rows]


def of_image(db: Database, image_id: int) -> list[str]:
    """The tags of an image in alphabetical order."""
    rows = db.query("SELECT tag FROM current_tags WHERE image_id = ? ORDER BY tag", [image_id])
    return [row[0] for row in rows]


def history(db: Database, image_id: int) -> list[Tagging]:
    """The tag log of an image, oldest first."""
    rows = db.query(
        "SELECT tag, tagged, person, created_at FROM tag_log WHERE image_id = ? ORDER BY id", [image_id]
    )
    return [Tagging(row[0], bool(row[1]), row[2], row[3]) for row in rows]


def of_scored(db: Database) -> list[tuple[int, str]]:
    """(image id, tag) of all scored images, ordered by id and tag."""
    rows = db.query(
        "SELECT image_id, tag FROM current_tags WHERE image_id IN (SELECT image_id FROM scores) ORDER BY image_id, tag"
    )
    return [(row[0], row[1]) for row in rows]


def version(db: Database) -> int:
    """A number that changes whenever a tag is added or removed."""
    row = db.one("SELECT coalesce(max(id), 0) FROM tag_log")
    return 0 if row is None else int(row[0])
