"""The label log as a chain of hashes: reading it, and finding entries that were deleted, changed or moved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass

from synthaug.store.database import Database
from synthaug.store.label_hash import GENESIS, label_hash
from synthaug.store.sqlite_errors import explained

MOST_FINDINGS = 20

ENTRIES = """
    SELECT labels.id, labels.previous_hash, coalesce(images.sha256, ''), labels.value, classes.name,
        labels.annotator, labels.source, labels.op_id, undone.op_id, models.revision, labels.reason,
        labels.created_at, labels.landmarks, labels.reading
    FROM labels
    LEFT JOIN images ON images.id = labels.image_id
    LEFT JOIN classes ON classes.position = labels.class_position
    LEFT JOIN labels AS undone ON undone.id = labels.undoes
    LEFT JOIN models ON models.id = labels.model_id
    ORDER BY labels.id
"""

MISCOUNTED = """
    WITH expected AS (
        SELECT image_id, id AS label_id FROM (
            SELECT image_id, id, row_number() OVER (PARTITION BY image_id ORDER BY rank DESC, id DESC) AS place
            FROM standing_labels
        ) WHERE place = 1
    )
    SELECT image_id FROM (SELECT * FROM expected EXCEPT SELECT * FROM current_label_ids)
    UNION
    SELECT image_id FROM (SELECT * FROM current_label_ids EXCEPT SELECT * FROM expected)
    ORDER BY image_id
"""


@dataclass(frozen=True, slots=True)
class ChainedEntry:
    """An entry without ids of a particular workspace. The hash covers the fields in this order."""

    previous_hash: str
    image: str  # SHA-256 of its pixels
    value: str
    class_name: str | None
    annotator: str
    source: str
    op_id: str
    undoes: str | None  # ``op_id`` of the entry that this one undoes
    model: str | None  # revision of the model whose prediction the annotator saw
    reason: str | None
    created_at: str
    landmarks: str | None = None  # JSON, see landmark_text
    reading: str | None = None

    @property
    def hash(self) -> str:
        """The hash that the next entry contains."""
        return label_hash(*astuple(self))


def entries(db: Database) -> Iterator[tuple[int, ChainedEntry]]:
    """All entries with their numbers, oldest first; they are not loaded at once."""
    with explained(db.path):
        for number, *fields in db.connection.execute(ENTRIES):
            yield number, ChainedEntry(*fields)


def verify_chain(db: Database) -> list[str]:
    """The problems of the label log: deleted, changed or moved entries, and wrong current labels; one line each."""
    found = [*breaks(entries(db), *head(db)), *_miscounted(db)]
    more = len(found) - MOST_FINDINGS
    return found if more <= 0 else [*found[:MOST_FINDINGS], f"label log: {more} more problems"]


def head(db: Database) -> tuple[int, str]:
    """The number of entries that were written, and the hash of the last one."""
    row = db.one("SELECT entries, hash FROM label_head")
    return (0, "") if row is None else (int(row["entries"]), str(row["hash"]))


def breaks(log: Iterable[tuple[int, ChainedEntry]], count: int, head_hash: str) -> list[str]:
    """The breaks in a numbered chain that must have ``count`` entries and end with ``head_hash``; one line each."""
    found = []
    last, expected = 0, GENESIS
    for number, entry in log:
        if number != last + 1:
            found.append(f"label log: entries {last + 1} to {number - 1} are missing")
        elif entry.previous_hash != expected:
            found.append(
                f"label log: entry {number} does not follow from entry {last}; one of them was changed"
            )
        last, expected = number, entry.hash
    if last != count:
        found.append(f"label log: it ends with entry {last}, but {count} entries were written")
    elif expected != head_hash:
        found.append(f"label log: entry {last}, the last, was changed")
    return found


def _miscounted(db: Database) -> list[str]:
    return [
        f"the current label of image {row['image_id']} differs from the one that follows from the label log"
        for row in db.query(MISCOUNTED)
    ]
