"""Slot values that are left out of generation: a log of who retired or restored a value, and when."""

from __future__ import annotations

from dataclasses import dataclass

from synthaug.store.database import Database, now


@dataclass(frozen=True, slots=True)
class Retired:
    """A retired value. The case of the name of the slot is ignored."""

    slot: str
    value: str
    person: str
    created_at: str


def append(db: Database, slot: str, value: str, retired: bool, person: str) -> None:
    """Retire or restore a value."""
    row = {"slot": slot, "value": value, "retired": int(retired), "person": person, "created_at": now()}
    db.insert("retired_values", [row])


def current(db: Database) -> list[Retired]:
    """The retired values, latest first."""
    rows = db.query("SELECT slot, value, retired, person, created_at FROM retired_values ORDER BY id DESC")
    seen: set[tuple[str, str]] = set()
    found = []
    for row in rows:
        key = row["slot"].casefold(), row["value"]
        if key not in seen and row["retired"]:
            found.append(Retired(row["slot"], row["value"], row["person"], row["created_at"]))
        seen.add(key)
    return found
