"""The probabilities of many images are read without the features that lie beside them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from synthaug.store import catalog, models, scored
from synthaug.store.database import Database
from synthaug.workspace import Workspace

PROBABILITIES = np.array([[0.7, 0.3], [0.4, 0.6], [0.2, 0.8]], np.float32)


@pytest.mark.parametrize("read", [models.all_probabilities, scored.likeliest])
def test_probabilities_are_read_from_an_index_that_has_no_features(
    workspace: Workspace, read: Callable[[Database, int], Any]
) -> None:
    for number in range(3):
        catalog.add_image(
            workspace.db, sha256=f"{number:064}", size=(8, 8), split="train", origin="real", source=""
        )
    described = {"recipe": "r", "revision": "v", "seed": 0, "view_id": None, "file": "m"}
    model = models.add(workspace.db, name="m", metrics={}, environment={}, **described)  # type: ignore[arg-type]
    models.add_predictions(workspace.db, model.id, [1, 2, 3], PROBABILITIES, np.ones((3, 1280), np.float32))
    asked: list[str] = []
    workspace.db.connection.set_trace_callback(asked.append)
    read(workspace.db, model.id)
    workspace.db.connection.set_trace_callback(None)
    (statement,) = (each for each in asked if "predictions" in each)
    plan = workspace.db.query(f"EXPLAIN QUERY PLAN {statement}")
    assert [row["detail"] for row in plan] == [
        "SEARCH predictions USING COVERING INDEX predictions_without_features (model_id=?)"
    ]
