"""Checking that a seed fits the database, numpy and torch."""

from __future__ import annotations

from synthaug.config import LARGEST_SEED
from synthaug.errors import UserError


def check_seed(seed: int, largest: int = LARGEST_SEED) -> None:
    """Raises UserError for a seed outside 0 .. ``largest``."""
    if not 0 <= seed <= largest:
        raise UserError(f"the seed is {str(seed)[:40]}; it must be in 0 .. {largest}")
