"""One rare class on pretrained features: every seed has images of its own, chosen as the table says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import entropy
from sklearn.neighbors import NearestNeighbors

from synthaug.classifiers.fitted import FittedClassifier
from synthaug.errors import UserError
from synthaug.experiments.base import Result
from synthaug.experiments.lab import Lab
from synthaug.experiments.rare_class import HEAD, SIZES, RareClass
from synthaug.experiments.run import run_experiment
from synthaug.stages.pixels import load_pixels
from synthaug.stages.run_cache import Trainer
from synthaug.store import jobs, views
from synthaug.store.views import ViewImage
from synthaug.workspace import Workspace

pytestmark = pytest.mark.long

RARE, SMALL = 8, SIZES["smoke"]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Result]:
    root = tmp_path_factory.mktemp("rare") / "work"
    result, _ = run_experiment("rare-class", root, "smoke")
    return Workspace.open(root), result


def rare_images(workspace: Workspace, arm: str, seed: int) -> list[ViewImage]:
    members = views.members(workspace.db, views.by_name(workspace.db, f"rare-class-smoke-{arm}-{seed}").id)
    return [each for each in members if each.class_index == RARE]


def test_sets_have_the_sizes_of_the_table(done: tuple[Workspace, Result]) -> None:
    _, result = done
    counts = {row.arm: row.counts["8"] for row in result.rows}
    grown = SMALL.kept + SMALL.added
    for arm in ("", "-class-weighted", "-logit-adjusted", "-features-drawn"):
        assert counts[f"imbalanced{arm}"] == SMALL.kept
    for arm in ("augmented", "random", "nearest", "unsure", "more"):
        assert counts[arm] == grown
    others = [{name: count for name, count in row.counts.items() if name != "8"} for row in result.rows]
    assert all(each == others[0] for each in others)
    assert {row.arm: row.generator_data for row in result.rows if row.generator_data != "none"} == {
        "imbalanced-features-drawn": "view",
        "random": "full",
        "nearest": "full",
        "unsure": "full",
    }


def test_every_seed_keeps_other_images_and_adds_others(done: tuple[Workspace, Result]) -> None:
    workspace, _ = done
    for arm in ("imbalanced", "more", "random"):
        first, second = ({each.sha256 for each in rare_images(workspace, arm, seed)} for seed in (0, 1))
        assert first != second
    for seed in (0, 1):
        kept = {each.sha256 for each in rare_images(workspace, "imbalanced", seed)}
        for arm in ("random", "nearest", "unsure", "augmented"):
            real = {each.sha256 for each in rare_images(workspace, arm, seed) if each.origin == "real"}
            assert real == kept


def test_each_run_is_of_the_view_of_its_seed(done: tuple[Workspace, Result]) -> None:
    workspace, result = done
    names = {view.id: view.name for view in views.all_views(workspace.db)}
    trained = {
        (run.arm, run.seed): names[row["view_id"]]
        for run in result.runs
        for row in workspace.db.query("SELECT view_id FROM runs WHERE id = ?", [run.id])
    }
    assert trained["random", 1] == "rare-class-smoke-random-1"
    assert trained["imbalanced-features-drawn", 1] == "rare-class-smoke-imbalanced-1"
    assert trained["full", 0] == trained["full", 1] == "rare-class-smoke-full"


def test_the_nearest_are_those_that_scikit_learn_finds(done: tuple[Workspace, Result]) -> None:
    workspace, _ = done
    (job,) = (each for each in jobs.latest(workspace.db) if each.params.get("generator") == "digits")
    pool = Lab(workspace).hashes_of_job(job.id)
    for seed in (0, 1):
        kept = [each.sha256 for each in rare_images(workspace, "imbalanced", seed)]
        search = NearestNeighbors(n_neighbors=SMALL.kept).fit(Lab(workspace).features(kept))
        distance = search.kneighbors(Lab(workspace).features(pool))[0][:, -1]
        wanted = {pool[each] for each in np.argsort(distance)[: SMALL.added]}
        found = {
            each.sha256 for each in rare_images(workspace, "nearest", seed) if each.origin == "synthetic"
        }
        assert found == wanted


def test_the_unsure_have_the_highest_entropy_of_all(done: tuple[Workspace, Result]) -> None:
    workspace, _ = done
    (job,) = (each for each in jobs.latest(workspace.db) if each.params.get("generator") == "digits")
    pool = Lab(workspace).hashes_of_job(job.id)
    for seed in (0, 1):
        view = views.by_name(workspace.db, f"rare-class-smoke-imbalanced-{seed}")
        classifier = FittedClassifier.load(Trainer(workspace).weights(view, HEAD, seed))
        pixels = load_pixels(workspace, pool, HEAD.image_size)
        known = dict(zip(pool, entropy(classifier.probabilities(pixels), axis=1), strict=True))
        chosen = {
            each.sha256 for each in rare_images(workspace, "unsure", seed) if each.origin == "synthetic"
        }
        assert len(chosen) == SMALL.added
        rest = [known[each] for each in pool if each not in chosen]
        assert (
            min(known[each] for each in chosen) > max(rest) - 0.02
        )  # stored features and weights are rounded


def test_heads_take_no_steps_of_the_largest_set(done: tuple[Workspace, Result]) -> None:
    _, result = done
    assert {run.metrics["recipe"]["steps"] for run in result.runs} == {None}
    assert not any("number of steps" in note for note in result.notes)


def test_the_gap_counts_the_auc(done: tuple[Workspace, Result]) -> None:
    _, result = done
    (gap,) = result.panels
    rows = {row.title: row for row in result.rows}
    low, high = result.rows[0].auc["8"], result.rows[-1].auc["8"]
    assert low is not None
    assert high is not None
    for title, _, _, share in gap.rows:
        mine = rows[str(title)].auc["8"]
        assert mine is not None
        assert share == pytest.approx(100 * (mine - low) / (high - low), abs=0.05)


def test_a_second_run_repeats_nothing(done: tuple[Workspace, Result]) -> None:
    workspace, result = done
    before = len(jobs.latest(workspace.db))
    again, _ = run_experiment("rare-class", workspace.root, "smoke")
    assert again.rows == result.rows
    assert len(jobs.latest(workspace.db)) == before


def test_a_class_that_is_too_small_says_so(done: tuple[Workspace, Result]) -> None:
    workspace, _ = done
    with pytest.raises(UserError, match="the class 'cat' needs at least 12 real training images, and has 0"):
        RareClass("smoke", minority="cat").prepare(Lab(workspace))
