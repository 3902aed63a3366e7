"""The points of the map are read while the app starts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from synthaug_app.warm_up import warm_up

from synthaug.reading import explore
from synthaug.stages.score import CLASSIFIER_DUPLICATES, EXTRACTOR_DUPLICATES, duplicate_share
from synthaug.store import models
from synthaug.store.models import Score
from synthaug.workspace import Workspace
from tests.made import add_gray_image, add_untrained_model


def scored(root: Path) -> Workspace:
    """Three images that lie somewhere, one of them placed later."""
    workspace = Workspace.create(root / "work", ("cat", "dog"))
    ids = [add_gray_image(workspace, level, "real") for level in range(3)]
    scores = [Score(each, (each, 0), (0, each), None, None, None, None, None) for each in ids]
    models.replace_scores(workspace.db, None, scores, "lite", placed=1)
    return workspace


def test_whoever_asks_first_need_not_read_them(tmp_path: Path) -> None:
    workspace = scored(tmp_path)
    warm_up(workspace).join()
    before = explore._places.cache_info().misses
    points = explore.points(workspace)
    assert explore._places.cache_info().misses == before
    assert points.pca[:, 0].tolist() == [1, 2, 3]
    assert points.umap_placed == explore.umap_placed(workspace) == 1


def test_new_scores_are_read_again(tmp_path: Path) -> None:
    workspace = scored(tmp_path)
    warm_up(workspace).join()
    image = add_gray_image(workspace, 9, "synthetic")
    models.replace_scores(
        workspace.db, None, [Score(image, (5, 5), (6, 6), None, None, 0.5, None, None)], "lite"
    )
    points = explore.points(workspace)
    assert np.array_equal(points.umap, [[6, 6]])
    assert points.umap_placed == 0


def test_a_workspace_without_scores_starts_too(tmp_path: Path) -> None:
    warm_up(Workspace.create(tmp_path / "work", ("cat",))).join()


def test_a_classifiers_features_need_closer_duplicates(tmp_path: Path) -> None:
    workspace = scored(tmp_path)
    model = add_untrained_model(workspace)
    assert duplicate_share(workspace, model.name) == CLASSIFIER_DUPLICATES
    assert duplicate_share(workspace, "efficientnet-lite0") == EXTRACTOR_DUPLICATES
