"""The first classifier in one click: what it needs, what it is trained on, that it trains."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthaug.errors import UserError
from synthaug.records import LabelEntry
from synthaug.stages import first_model
from synthaug.stages.importing import import_images
from synthaug.stages.label import record
from synthaug.store import catalog, jobs, views
from synthaug.workspace import Workspace

from .test_importing import picture


def test_what_it_needs(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "work", ["a", "b"])
    for seed, name in enumerate(("a/1", "a/2", "b/3")):
        picture(tmp_path / "src" / f"{name}.png", seed)
    picture(tmp_path / "one" / "a" / "9.png", 9)
    import_images(workspace, tmp_path / "one", "folder")
    with pytest.raises(UserError, match="at least two classes"):
        first_model.submit(workspace)
    import_images(workspace, tmp_path / "src", "folder")
    with pytest.raises(UserError, match="'logistic' is measured on real test images"):
        first_model.submit(workspace, "logistic")
    assert views.all_views(workspace.db) == jobs.latest(workspace.db) == []
    assert jobs.get(workspace.db, first_model.submit(workspace)).kind == "quick-model"  # it needs none


def test_it_is_trained_on_all_that_has_a_label_by_now(digits: Workspace) -> None:
    first = jobs.get(digits.db, first_model.submit(digits)).params
    assert first["view"] == jobs.get(digits.db, first_model.submit(digits)).params["view"] == "real"
    image_id, _ = catalog.add_image(
        digits.db, sha256="0" * 64, size=(8, 8), split="train", origin="real", source="x"
    )
    record(digits, [LabelEntry(image_id, "class", "ann", "human", "operation-1", 3)])
    later = jobs.get(digits.db, first_model.submit(digits)).params
    assert later["view"] == "real-2"
    held = {each.image_id for each in views.members(digits.db, views.by_name(digits.db, "real-2").id)}
    assert image_id in held
    assert len(held) == 1298
    assert (first["recipe"], first["seed"]) == ("digits", 0)
