"""Comparisons whose runs are trained by other processes: the figures of this one, and only the head writes."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from synthaug.classifiers.fitted import FittedClassifier
from synthaug.executors.base import ExecutorSpec
from synthaug.stages.compare import compare
from synthaug.stages.importing import import_images
from synthaug.stages.run_cache import Trainer, read_predicted
from synthaug.stages.train import fit_and_measure, load_dataset, load_test_set, resolve_recipe
from synthaug.stages.view import ViewSpec, make_view
from synthaug.store import catalog, runs, views
from synthaug.workspace import Workspace

pytestmark = pytest.mark.slow

TIMED = ("seconds", "history")


@pytest.fixture
def pair(digits: Workspace) -> Workspace:
    """Two views of the digits."""
    make_view(digits, "few", ViewSpec(keep={str(digit): 10 for digit in range(10)}))
    make_view(digits, "more", ViewSpec(keep={str(digit): 20 for digit in range(10)}))
    return digits


def measured(run: runs.Run | None) -> dict[str, Any]:
    """What is the same on every machine."""
    assert run is not None
    return {name: value for name, value in run.metrics.items() if name not in TIMED}


@pytest.mark.long
def test_a_comparison_by_processes_finds_what_one_process_finds(pair: Workspace, tmp_path: Path) -> None:
    pair.db.close()
    copy = Workspace.open(Path(shutil.copytree(pair.root, tmp_path / "copy")))
    alone = compare(pair, "few", "more", 3, epochs=1)
    told: list[tuple[int, int, str]] = []
    together = compare(
        copy,
        "few",
        "more",
        3,
        epochs=1,
        executor=ExecutorSpec("processes", workers=2),
        progress=lambda done, total, epoch: told.append((done, total, epoch["run"])),
    )
    assert told[:2] == [(1, 6, "baseline/0"), (2, 6, "augmented/0")]
    assert (together.difference, together.ci, together.verdict) == (alone.difference, alone.ci, alone.verdict)
    assert together.mcnemar == alone.mcnemar  # image by image
    mine, theirs = Trainer(pair), Trainer(copy)
    recipe = resolve_recipe(pair, None, 1)
    for name in ("few", "more"):
        for seed in range(3):
            both = [
                each.find(views.by_name(each.workspace.db, name), recipe, seed) for each in (mine, theirs)
            ]
            assert measured(both[0]) == measured(both[1])
    assert not list((copy.root / "shards").iterdir())


def test_runs_are_stored_in_order_with_what_they_said_and_the_weights_that_are_asked_for(
    pair: Workspace,
) -> None:
    trainer, recipe = Trainer(pair), resolve_recipe(pair, None, 1)
    view = views.by_name(pair.db, "few")
    wanted = [(view, recipe, seed) for seed in (0, 1)]
    one = ExecutorSpec("processes", workers=1)
    found = list(trainer.run_all(wanted, one, keep_weights=lambda seed: seed == 0))
    assert [each for each, _ in found] == wanted
    assert [run.seed for _, run in found] == [0, 1]
    assert "worker_process" not in found[0][1].environment["command"]
    said = read_predicted(trainer.predictions(view, recipe, 0))
    stored = FittedClassifier.load(trainer.weights(view, recipe, 0))
    again = stored.probabilities(trainer.test_set(recipe).data.inputs).argmax(1)
    assert said is not None
    assert np.mean(said == again) > 0.99  # the weights are kept in half precision
    assert not trainer.weights(view, recipe, 1).exists()
    assert list(trainer.run_all(wanted, one)) == []


def test_a_worker_knows_which_images_are_synthetic(pair: Workspace, tmp_path: Path) -> None:
    for class_index, name in enumerate(pair.classes):
        (tmp_path / "drawn" / name).mkdir(parents=True)
        for number in range(5):
            level = np.random.default_rng((class_index, number)).integers(0, 256, (8, 8), np.uint8)
            Image.fromarray(level).save(tmp_path / "drawn" / name / f"{number}.png")
    import_images(pair, tmp_path / "drawn", "folder", "train", "synthetic")
    drawn = tuple(each.sha256 for each in catalog.find_images(pair.db, origin="synthetic"))
    view = make_view(pair, "both", ViewSpec(base="few", images=drawn))
    recipe = resolve_recipe(pair, None, 4, synthetic="first")
    ((_, elsewhere),) = Trainer(pair).run_all([(view, recipe, 0)], ExecutorSpec("processes", workers=1))
    data, test = load_dataset(pair, view, recipe), load_test_set(pair, recipe)
    assert data.synthetic is not None
    assert data.synthetic.sum() == 50
    _, here, _ = fit_and_measure(pair.classes, data, test, recipe, 0)
    assert here.items() <= measured(elsewhere).items()
    blind = replace(data, synthetic=None)
    assert fit_and_measure(pair.classes, blind, test, recipe, 0)[1]["confusion"] != here["confusion"]
