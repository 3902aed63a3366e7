"""Which of the stored models are classifiers."""

from __future__ import annotations

from synthaug.store import models
from synthaug.workspace import Workspace


def test_a_landmark_model_is_no_classifier(workspace: Workspace) -> None:
    described = {"recipe": "r", "revision": "0" * 16, "seed": 0, "view_id": None, "environment": {}}
    assert not models.has_classifier(workspace.db)
    for name, metrics in (("landmarks-1", {"kind": models.LANDMARKS}), ("first", {"accuracy": 0.5})):
        assert models.classifiers(workspace.db) == []
        assert not models.has_classifier(workspace.db)
        models.add(workspace.db, name=name, file=f"models/{name}.safetensors", metrics=metrics, **described)  # type: ignore[arg-type]
    assert [each.name for each in models.classifiers(workspace.db)] == ["first"]
    assert models.has_classifier(workspace.db)
