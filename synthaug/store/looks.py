"""How often two training sets were compared, each time with another number of seeds."""

from __future__ import annotations

import hashlib
import json

from synthaug.store import catalog
from synthaug.store.database import Database
from synthaug.store.runs import RunKey


def look(db: Database, baseline: RunKey, augmented: RunKey, seeds: int) -> int:
    """Record this look and return its number, counted from 1; the same number of seeds is the same look."""
    question = [baseline.to_json(), augmented.to_json()]
    key = f"looks/{hashlib.sha256(json.dumps(question).encode()).hexdigest()[:32]}"
    seen: list[int] = json.loads(catalog.get_setting(db, key) or "[]")
    if seeds not in seen:
        seen.append(seeds)
        catalog.set_setting(db, key, json.dumps(seen))
    return seen.index(seeds) + 1
