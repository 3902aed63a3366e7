"""Tags on images: a log of who put a tag on or took it off, and what holds now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from synthaug.store.database import Database, now


@dataclass(frozen=True, slots=True)
class Tagging:
    """A line of an image's tag log."""

    tag: str
    tagged: bool  # False: taken off
    person: str
    created_at: str


def put(db: Database, image_ids: Sequence[int], tag: str, tagged: bool, person: str) -> int:
    """Put a tag on images, or take it off; how many were changed by it. What is so already is not logged."""
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
    """How many images have each tag, by name."""
    rows = db.query("SELECT tag, count(*) FROM current_tags GROUP BY tag ORDER BY tag")
    return {row[0]: row[1] for row in rows}


def ids(db: Database, tag: str) -> list[int]:
    """The images that have a tag, by id."""
    rows = db.query("SELECT image_id FROM current_tags WHERE tag = ? ORDER BY image_id", [tag])
    return [row[0] for row in rows]


def of_image(db: Database, image_id: int) -> list[str]:
    """The tags of an image, by name."""
    rows = db.query("SELECT tag FROM current_tags WHERE image_id = ? ORDER BY tag", [image_id])
    return [row[0] for row in rows]


def history(db: Database, image_id: int) -> list[Tagging]:
    """Everything that was done to the tags of an image, oldest first."""
    rows = db.query(
        "SELECT tag, tagged, person, created_at FROM tag_log WHERE image_id = ? ORDER BY id", [image_id]
    )
    return [Tagging(row[0], bool(row[1]), row[2], row[3]) for row in rows]


def of_scored(db: Database) -> list[tuple[int, str]]:
    """(image id, tag) of the scored images, by id and tag."""
    rows = db.query(
        "SELECT image_id, tag FROM current_tags WHERE image_id IN (SELECT image_id FROM scores) ORDER BY image_id, tag"
    )
    return [(row[0], row[1]) for row in rows]


def version(db: Database) -> int:
    """Changes whenever a tag is put on or taken off."""
    row = db.one("SELECT coalesce(max(id), 0) FROM tag_log")
    return 0 if row is None else int(row[0])
