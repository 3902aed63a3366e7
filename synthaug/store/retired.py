"""Slot values that generation leaves out: a log of who retired a value or took that back, and when."""

from __future__ import annotations

from dataclasses import dataclass

from synthaug.store.database import Database, now


@dataclass(frozen=True, slots=True)
class Retired:
    """A value that is left out now. A slot is the same in upper and lower case."""

    slot: str
    value: str
    person: str
    created_at: str


def append(db: Database, slot: str, value: str, retired: bool, person: str) -> None:
    """Say that a value is left out from now on, or no longer."""
    row = {"slot": slot, "value": value, "retired": int(retired), "person": person, "created_at": now()}
    db.insert("retired_values", [row])


def current(db: Database) -> list[Retired]:
    """What is left out now, the latest first."""
    rows = db.query("SELECT slot, value, retired, person, created_at FROM retired_values ORDER BY id DESC")
    seen: set[tuple[str, str]] = set()
    found = []
    for row in rows:
        key = row["slot"].casefold(), row["value"]
        if key not in seen and row["retired"]:
            found.append(Retired(row["slot"], row["value"], row["person"], row["created_at"]))
        seen.add(key)
    return found
