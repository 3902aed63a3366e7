"""Leases: who looks at which image now, so that no two people get the same one. A lease expires."""

from __future__ import annotations

from collections.abc import Sequence

from synthaug.store.database import Database


def of_others(db: Database, image_ids: Sequence[int], person: str, at: str) -> set[int]:
    """The images among ``image_ids`` that another person holds at a time (UTC, ISO 8601)."""
    rows = db.query_among(
        "SELECT image_id FROM leases WHERE person <> ? AND expires_at > ? AND image_id IN (:ids)",
        image_ids,
        [person, at],
    )
    return {row["image_id"] for row in rows}


def hold(db: Database, image_ids: Sequence[int], person: str, until: str) -> None:
    """Lease images to a person until a time (UTC, ISO 8601); earlier leases of these images end."""
    with db.transaction() as connection:
        connection.executemany(
            "INSERT INTO leases (image_id, person, expires_at) VALUES (?, ?, ?)"
            " ON CONFLICT (image_id) DO UPDATE SET person = excluded.person, expires_at = excluded.expires_at",
            [(image_id, person, until) for image_id in image_ids],
        )


def release(db: Database, image_ids: Sequence[int], person: str) -> None:
    """End the leases of a person on these images."""
    with db.transaction() as connection:
        connection.executemany(
            "DELETE FROM leases WHERE image_id = ? AND person = ?", [(each, person) for each in image_ids]
        )


def remove_expired(db: Database, at: str) -> None:
    """Remove the leases that expired before a time (UTC, ISO 8601)."""
    with db.transaction() as connection:
        connection.execute("DELETE FROM leases WHERE expires_at <= ?", [at])
