"""Rows that benchmarks store directly, in place of results that would take long to compute."""

from __future__ import annotations

from synthaug.store import models
from synthaug.store.database import Database


def plant_model(db: Database, name: str) -> models.Model:
    """Store a classifier without a file, to which planted predictions and scores belong."""
    return models.add(
        db,
        name=name,
        recipe="none",
        revision="0" * 64,
        seed=0,
        view_id=None,
        file=f"models/{name}.safetensors",
        metrics={},
        environment={},
    )
