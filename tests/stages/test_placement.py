"""New images are placed in the UMAP that there is; when it is fitted again, and what of it is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from synthaug.errors import Cancelled
from synthaug.measures.umap_fit import UmapFit
from synthaug.stages.placement import Placement, place
from synthaug.store import umap_fits
from synthaug.store.umap_fits import FILE, KeptFit
from synthaug.workspace import Workspace

pytestmark = pytest.mark.slow

FITTED, ALL = 60, 80


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.create(tmp_path / "work", ("a", "b"))


@pytest.fixture(scope="module")
def features() -> NDArray[np.float64]:
    return np.eye(6)[np.arange(ALL) % 2] * 8 + np.random.default_rng(0).normal(size=(ALL, 6))


def placed(
    workspace: Workspace, features: NDArray[np.float64], count: int, *, first: int = 0, **options: Any
) -> Placement:
    """Place the images ``first + 1`` to ``count``."""
    given: dict[str, Any] = {"revision": "r1", "seed": 0} | options
    ids = list(range(first + 1, count + 1))
    return place(workspace, given.pop("revision"), ids, features[first:count], given.pop("seed"), **given)


def test_old_images_stay_and_new_ones_join_their_kind(
    workspace: Workspace, features: NDArray[np.float64]
) -> None:
    before = placed(workspace, features, FITTED)
    assert before.placed == 0
    after = placed(workspace, features, ALL)
    assert after.placed == ALL - FITTED
    assert np.array_equal(after.coordinates[:FITTED], before.coordinates)
    for kind in range(2):
        own, other = (before.coordinates[each::2].mean(0) for each in (kind, 1 - kind))
        new = after.coordinates[FITTED + kind :: 2]
        assert (np.linalg.norm(new - own, axis=1) < np.linalg.norm(new - other, axis=1)).all()
    again = placed(workspace, features, ALL)
    assert np.array_equal(again.coordinates, after.coordinates)


def test_fit_again_fits_all(workspace: Workspace, features: NDArray[np.float64]) -> None:
    placed(workspace, features, FITTED)
    again = placed(workspace, features, ALL, refit=True)
    assert again.placed == 0
    assert placed(workspace, features, ALL).placed == 0
    kept = umap_fits.read(workspace.features_folder)
    assert kept is not None
    assert kept.ids.tolist() == list(range(1, ALL + 1))


@pytest.mark.parametrize("change", [{"revision": "r2"}, {"seed": 1}, {"first": 1}])
def test_other_features_another_seed_or_a_lost_image_fit_again(
    workspace: Workspace, features: NDArray[np.float64], change: dict[str, Any]
) -> None:
    placed(workspace, features, FITTED)
    assert placed(workspace, features, ALL, **change).placed == 0


def test_more_new_images_than_fitted_ones_fit_again(
    workspace: Workspace, features: NDArray[np.float64]
) -> None:
    placed(workspace, features, 30)
    assert placed(workspace, features, 60).placed == 30
    assert placed(workspace, features, 61).placed == 0


def test_too_few_images_keep_no_fit(workspace: Workspace, features: NDArray[np.float64]) -> None:
    assert placed(workspace, features, 4).placed == 0
    assert not (workspace.features_folder / FILE).exists()


@pytest.mark.parametrize("damage", ["cut", "pickle", "shape", "nan"])
def test_a_damaged_file_is_fitted_anew(
    workspace: Workspace, features: NDArray[np.float64], damage: str
) -> None:
    placed(workspace, features, FITTED)
    path = workspace.features_folder / FILE
    kept = umap_fits.read(workspace.features_folder)
    assert kept is not None
    fit = kept.fit
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    elif damage == "pickle":
        path.write_bytes(b"\x80\x04cos\nsystem\n(S'false'\ntR.")
    else:
        embedding = fit.embedding[:-1] if damage == "shape" else fit.embedding * np.float32(np.nan)
        other = UmapFit(fit.mean, fit.components, fit.points, embedding, fit.seed)
        umap_fits.save(workspace.features_folder, KeptFit(other, kept.ids, kept.revision))
    assert umap_fits.read(workspace.features_folder) is None
    assert placed(workspace, features, ALL).placed == 0


def test_a_cancelled_fit_leaves_the_last_one(workspace: Workspace, features: NDArray[np.float64]) -> None:
    placed(workspace, features, FITTED)
    before = (workspace.features_folder / FILE).read_bytes()

    def stop(done: int, total: int, note: str) -> None:
        raise Cancelled("stopped on request")

    with pytest.raises(Cancelled):
        placed(workspace, features, ALL, refit=True, progress=stop)
    assert (workspace.features_folder / FILE).read_bytes() == before
