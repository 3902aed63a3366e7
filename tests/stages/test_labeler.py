from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synthaug.config import CIFAR10
from synthaug.errors import UserError
from synthaug.stages import labeler
from synthaug.stages.predict import predict
from synthaug.store import catalog, models
from synthaug.workspace import Workspace

NAME = "cifar10-labeler"


@pytest.fixture
def photos(tmp_path: Path) -> Workspace:
    workspace = Workspace.create(tmp_path / "photos", (), "cifar10")
    rng = np.random.default_rng(0)
    with workspace.db.transaction():
        for _ in range(3):
            pixels = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
            catalog.add_image(
                workspace.db,
                sha256=workspace.images.put(pixels, {}),
                size=(32, 32),
                split="train",
                origin="synthetic",
                source="test",
            )
    return workspace


def test_where_there_is_no_model_the_fitting_one_that_ships_predicts(photos: Workspace) -> None:
    assert labeler.fitting(photos) == NAME
    result = predict(photos)
    assert (result.predicted, result.model) == (3, NAME)
    model = models.by_name(photos.db, NAME)
    assert (photos.root / model.file).read_bytes() == labeler.shipped_file(NAME).read_bytes()
    assert model.metrics["accuracy"] > 0.9
    assert predict(photos).predicted == 0


def test_installing_twice_changes_nothing(photos: Workspace) -> None:
    assert labeler.install(photos, NAME) == labeler.install(photos, NAME)
    assert models.names(photos.db) == [NAME]


def test_other_classes_are_refused_with_what_to_do(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "hip", (), "hip")
    assert labeler.fitting(workspace) is None
    with pytest.raises(
        UserError, match=r"knows the classes airplane, .*; this workspace has Big, Small.*train"
    ):
        predict(workspace, NAME)


def test_the_labeler_knows_cifar10_and_is_small() -> None:
    assert labeler.shipped_file(NAME).stat().st_size < 5_000_000
    from synthaug.classifiers.fitted import FittedClassifier

    assert FittedClassifier.load(labeler.shipped_file(NAME)).class_names == CIFAR10
