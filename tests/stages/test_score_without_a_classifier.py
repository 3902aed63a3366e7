"""The map works on the first import: no label, no classifier, features of a network that saw ImageNet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_image

from synthaug.errors import UnknownName
from synthaug.reading.explore import NONE, points
from synthaug.running.jobs import JobContext
from synthaug.stages.handlers import submit_score
from synthaug.stages.importing import import_images
from synthaug.stages.score import ScoreResult, run, score
from synthaug.store import jobs
from synthaug.workspace import Workspace

from .helpers import add_synthetic

pytestmark = pytest.mark.slow


@pytest.fixture
def photographs(tmp_path: Path) -> Workspace:
    """Twenty pieces of one photograph, then twenty of another, without a label."""
    workspace = Workspace.create(tmp_path / "work", ("china", "flower"))
    rng = np.random.default_rng(0)
    for name in workspace.classes:
        folder = tmp_path / f"pieces-{name}"
        folder.mkdir()
        whole = load_sample_image(f"{name}.jpg")
        for i in range(20):
            top, left = rng.integers(0, 427 - 200), rng.integers(0, 640 - 200)
            piece = whole[top : top + 200, left : left + 200]
            Image.fromarray(piece).resize((32, 32)).save(folder / f"{i}.png")
        import_images(workspace, folder, "folder", split="train")
    return workspace


def test_a_workspace_without_labels_has_a_map(photographs: Workspace) -> None:
    result = score(photographs)
    assert result == ScoreResult(40, "efficientnet-lite0")
    shown = points(photographs)
    assert shown.model == "efficientnet-lite0"
    assert (shown.predicted == NONE).all()
    # The two photographs lie apart: in the plane an image's nearest neighbour comes from its own photograph.
    distances = np.linalg.norm(shown.pca[:, None] - shown.pca[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    own = (distances.argmin(1) < 20) == (np.arange(40) < 20)
    assert own.mean() > 0.9


def test_features_are_extracted_for_new_images_only(photographs: Workspace) -> None:
    score(photographs)
    (path,) = photographs.features_folder.glob("*.f16")
    before, placed_before = path.read_bytes(), points(photographs).umap
    add_synthetic(photographs, 3, 0)
    assert score(photographs) == ScoreResult(43, "efficientnet-lite0", placed=3)
    assert path.read_bytes()[: len(before)] == before
    shown = points(photographs)
    assert shown.umap_placed == 3
    assert np.array_equal(shown.umap[:40], placed_before)  # what lay in the map stays where it was
    # Noise is farther from the photographs than any photograph is from the others.
    assert (shown.ood_real[shown.origin == 2] == 1).all()
    job = jobs.get(photographs.db, submit_score(photographs, refit=True))
    assert run(JobContext(photographs, job))["placed"] == 0
    assert points(photographs).umap_placed == 0


def test_an_extractor_that_does_not_exist_is_refused(photographs: Workspace) -> None:
    with pytest.raises(UnknownName, match="efficientnet-lite0"):
        score(photographs, "resnet-of-my-dreams")
