"""The distances of the map by every method, in a classifier's features, with planted strangers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from synthaug.errors import Cancelled, UnknownName, UserError
from synthaug.measures.ood import METHODS
from synthaug.measures.quality import out_of_distribution
from synthaug.reading import explore
from synthaug.records import LabelEntry
from synthaug.stages import label
from synthaug.stages.score import _out_of_distribution as distances
from synthaug.stages.score import _ranked_within as ranked_within
from synthaug.stages.score import score
from synthaug.store import catalog, generations, jobs, models
from synthaug.store.generations import Generation
from synthaug.store.models import Score
from synthaug.workspace import Workspace
from tests.made import add_gray_image

Kinds = tuple[Workspace, list[int], NDArray[np.float64]]
REAL, SYNTHETIC, STRANGE = 60, 40, 5
DIMENSION = 16


def unwatched(*_: object) -> None:
    """A progress that nobody reads."""


@pytest.fixture
def two_kinds(tmp_path: Path) -> Kinds:
    """60 real images, 40 synthetic ones near them, of which the last five lie where nothing real does."""
    workspace = Workspace.create(tmp_path / "work", ("cat", "dog"))
    rng = np.random.default_rng(0)
    ids = []
    job = jobs.submit(workspace.db, "generate", {}, SYNTHETIC)
    for number in range(REAL + SYNTHETIC):
        real = number < REAL
        image_id = add_gray_image(workspace, number, "real" if real else "synthetic")
        ids.append(image_id)
        if not real:
            made = Generation(job, number, image_id, number % 2, "a pet", 0, {}, 0, "digits", "r")
            generations.add(workspace.db, made)
    said = [LabelEntry(ids[i], "class", "me", "human", f"operation-{i}", i % 2) for i in range(REAL)]
    label.record(workspace, said)
    classes = np.arange(REAL + SYNTHETIC) % 2
    features = np.eye(DIMENSION)[classes] * 5 + rng.normal(size=(REAL + SYNTHETIC, DIMENSION)) * 0.5
    features[-STRANGE:] = (np.eye(DIMENSION)[0] + np.eye(DIMENSION)[1] + np.eye(DIMENSION)[5]) * 3
    features[-STRANGE:] += rng.normal(size=(STRANGE, DIMENSION)) * 0.1
    return workspace, ids, features


def test_progress_counts_every_comparison_and_an_exception_of_it_ends_them(two_kinds: Kinds) -> None:
    workspace, ids, features = two_kinds
    seen: list[tuple[int, int, str]] = []
    distances(workspace, ids, features, "knn", lambda *each: seen.append(each))
    total = REAL + 2 * SYNTHETIC  # each image against the real ones, and each synthetic one within its class
    assert seen == sorted(seen)
    assert seen[0] == (0, total, "images")
    assert seen[-1] == (total, total, "images")

    def stop(done: int, _total: int, _note: str) -> None:
        if done > REAL:
            raise Cancelled("stopped on request")

    with pytest.raises(Cancelled):
        distances(workspace, ids, features, "knn", stop)


@pytest.mark.parametrize("method", METHODS)
def test_strangers_are_far_from_real_by_every_method(two_kinds: Kinds, method: str) -> None:
    workspace, ids, features = two_kinds
    real, synthetic = distances(workspace, ids, features, method, unwatched)
    assert np.isnan(real[:REAL]).all()
    assert real[-STRANGE:].min() >= 0.9
    assert np.median(real[REAL:-STRANGE]) < 0.8
    assert not np.isnan(synthetic[REAL:]).any()


def test_a_method_that_needs_labels_says_so(two_kinds: Kinds) -> None:
    workspace, ids, features = two_kinds
    for i in range(REAL):
        label.undo(workspace, f"operation-{i}", "me", f"undone-{i}")
    real, _ = distances(workspace, ids, features, "energy", unwatched)
    assert np.isnan(real).all()  # no labeled real image: the distance to real is not known
    label.record(workspace, [LabelEntry(i, "class", "me", "human", f"again-{i}", 0) for i in ids[:2]])
    with pytest.raises(UserError, match="needs a reference of at least"):
        distances(workspace, ids, features, "energy", unwatched)
    with pytest.raises(UnknownName, match="out-of-distribution method"):
        score(workspace, method="magic")


def test_the_map_says_by_which_method(two_kinds: Kinds) -> None:
    workspace, ids, _ = two_kinds
    scores = [Score(each, (0, 0), (0, 0), None, None, None, None, None) for each in ids]
    models.replace_scores(workspace.db, None, scores, "lite", "energy")
    assert explore.points(workspace).ood_method == "energy"
    models.replace_scores(workspace.db, None, scores, "lite")
    assert explore.points(workspace).ood_method == "knn"


def test_a_rare_class_is_not_strange_for_being_rare(tmp_path: Path) -> None:
    """Ranked among all, every one of 12 dogs lies farther out than most of 200 cats; among dogs they are as cats."""
    workspace = Workspace.create(tmp_path / "work", ("cat", "dog"))
    rng = np.random.default_rng(3)
    kinds = np.array([0] * 200 + [1] * 12)
    job = jobs.submit(workspace.db, "generate", {}, len(kinds))
    ids = [add_gray_image(workspace, level, "real") for level in range(2)]
    with workspace.db.transaction():
        for number, kind in enumerate(kinds.tolist()):
            image, _ = catalog.add_image(
                workspace.db,
                sha256=f"{number:064x}",
                size=(8, 8),
                split="train",
                origin="synthetic",
                source="job",
            )
            ids.append(image)
            made = Generation(job, number, image, kind, "a pet", 0, {}, 0, "digits", "r")
            generations.add(workspace.db, made)
    features = rng.normal(size=(len(ids), DIMENSION))
    features[:, 0] += 20
    features[2 + 200 :, 1] += 40
    features[2 + 200 :] += rng.normal(size=(12, DIMENSION)) * 2  # dogs are drawn more variously
    features[-1] += 30 * np.eye(DIMENSION)[7]  # and one of them is no dog
    _, synthetic = distances(workspace, ids, features, "knn", unwatched)
    dogs = synthetic[-12:]
    assert np.median(dogs) == pytest.approx(0.5, abs=0.1)
    assert dogs.argmax() == 11
    among_all = out_of_distribution(None, features[2:])
    assert np.median(among_all[-12:]) > 0.9


def test_a_class_of_few_is_ranked_among_all() -> None:
    features = np.random.default_rng(0).normal(size=(40, DIMENSION))
    classes = np.array([0] * 30 + [1] * 9 + [-1])
    found = ranked_within(features, classes, unwatched)
    assert np.array_equal(found[:30], out_of_distribution(None, features[:30]))
    assert np.array_equal(found[30:], out_of_distribution(None, features)[30:])
