"""How often a question was looked at: the numbers of seeds that two training sets were weighed with so far."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from synthaug.store import catalog
from synthaug.store.database import Database


def look(db: Database, question: Sequence[Any], seeds: int) -> int:
    """Which look at ``question`` (JSON-ready) this is, from 1; kept. The same number of seeds is the same look."""
    key = f"looks/{hashlib.sha256(json.dumps(question).encode()).hexdigest()[:32]}"
    seen: list[int] = json.loads(catalog.get_setting(db, key) or "[]")
    if seeds not in seen:
        seen.append(seeds)
        catalog.set_setting(db, key, json.dumps(seen))
    return seen.index(seeds) + 1
