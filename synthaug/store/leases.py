"""Who looks at which image now, so that no two people are handed the same one. A lease ends by itself."""

from __future__ import annotations

from collections.abc import Sequence

from synthaug.store.database import Database


def of_others(db: Database, image_ids: Sequence[int], person: str, at: str) -> set[int]:
    """Those of these images that somebody else holds at a time (UTC, ISO 8601)."""
    rows = db.query_among(
        "SELECT image_id FROM leases WHERE person <> ? AND expires_at > ? AND image_id IN (:ids)",
        image_ids,
        [person, at],
    )
    return {row["image_id"] for row in rows}


def hold(db: Database, image_ids: Sequence[int], person: str, until: str) -> None:
    """Lease these images to a person, or renew their leases; whoever held them holds them no more."""
    with db.transaction() as connection:
        connection.executemany(
            "INSERT INTO leases (image_id, person, expires_at) VALUES (?, ?, ?)"
            " ON CONFLICT (image_id) DO UPDATE SET person = excluded.person, expires_at = excluded.expires_at",
            [(image_id, person, until) for image_id in image_ids],
        )


def release(db: Database, image_ids: Sequence[int], person: str) -> None:
    """Give these images back before their leases end."""
    with db.transaction() as connection:
        connection.executemany(
            "DELETE FROM leases WHERE image_id = ? AND person = ?", [(each, person) for each in image_ids]
        )


def remove_expired(db: Database, at: str) -> None:
    """Forget the leases that ended before a time."""
    with db.transaction() as connection:
        connection.execute("DELETE FROM leases WHERE expires_at <= ?", [at])
