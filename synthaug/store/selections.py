"""Selections of images that were saved under a name."""

from __future__ import annotations

import json
from collections.abc import Sequence

from synthaug.errors import UnknownName
from synthaug.store.catalog import get_setting, set_setting
from synthaug.store.database import Database

PREFIX = "selection/"


def save(db: Database, name: str, ids: Sequence[int]) -> None:
    """Save ids under a name; an existing selection with this name is replaced."""
    set_setting(db, PREFIX + name, json.dumps([int(each) for each in ids]))


def read(db: Database, name: str) -> list[int]:
    """The ids of a saved selection. Raises UnknownName."""
    value = get_setting(db, PREFIX + name)
    if value is None:
        raise UnknownName("saved selection", name, names(db))
    ids: list[int] = json.loads(value)
    return ids


def names(db: Database) -> list[str]:
    """Names of the saved selections, in alphabetical order."""
    rows = db.query(
        "SELECT key FROM settings WHERE substr(key, 1, ?) = ? ORDER BY key", [len(PREFIX), PREFIX]
    )
    return [str(row[0])[len(PREFIX) :] for row in rows]
