"""The list of trainings, on real digits: what was planted in the store is found again, cell by cell."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from synthaug.classifiers.recipes import RECIPES
from synthaug.errors import UnknownName
from synthaug.reading import runs as reading
from synthaug.records import LabelEntry
from synthaug.stages.label import record
from synthaug.stages.measuring import classifier_metrics
from synthaug.stages.run_cache import recipe_key, run_file, save_predictions
from synthaug.stages.test_split import fingerprint
from synthaug.stages.view import ViewSpec, make_view
from synthaug.store import catalog, label_log, models, runs, views
from synthaug.store.runs import RunKey
from synthaug.workspace import Workspace
from tests.stages.helpers import add_synthetic

TRAIN, TEST = 60, 200
RECIPE = next(iter(RECIPES.values()))


def known_of(workspace: Workspace) -> reading.Known:
    """Contents remembered, as the app does."""
    return cache(lambda view_id: reading.contents(workspace, view_id))


def plant_run(workspace: Workspace, view: str, seed: int) -> tuple[runs.Run, np.ndarray]:
    """A run that nobody trained, with random log probabilities; the run, and the class it names for each image."""
    rows = catalog.hashes_of_split(workspace.db, "test")
    labels = np.array([label for _, label in rows], np.int64)
    rng = np.random.default_rng(seed)
    log_probs = rng.normal(size=(len(rows), 10)).astype(np.float32)
    key = RunKey(views.by_name(workspace.db, view).id, recipe_key(RECIPE), fingerprint(rows))
    save_predictions(run_file(workspace, key, seed, "predictions.safetensors"), log_probs)
    metrics = classifier_metrics(log_probs, labels)
    return runs.add(workspace.db, key, seed, metrics=metrics, environment={}), log_probs.argmax(1)


@pytest.fixture
def trained(tmp_path: Path) -> Workspace:
    """A view of real images, one with synthetic eights, and one oversampled; no image has pixels."""
    digits = Workspace.create(tmp_path / "work", (), "digits")
    entries = []
    for number in range(TRAIN + TEST):
        image, _ = catalog.add_image(
            digits.db,
            sha256=hashlib.sha256(str(number).encode()).hexdigest(),
            size=(8, 8),
            split="train" if number < TRAIN else "test",
            origin="real",
            source="here",
        )
        entries.append(LabelEntry(image, "class", "import", "imported", f"import{number}", number % 10))
    record(digits, entries)
    made = add_synthetic(digits, 6, 8)
    record(digits, [LabelEntry(each, "class", "ann", "human", f"made{each}", 8) for each in made])
    make_view(digits, "real", ViewSpec(keep=dict.fromkeys(digits.classes, 5)))
    make_view(digits, "mixed", ViewSpec(base="real", add_synthetic={"8": 6}))
    make_view(digits, "even", ViewSpec(base="mixed", oversample=True))
    make_view(digits, "two", ViewSpec(keep={each: 0 for each in digits.classes if each not in "38"}))
    return digits


@pytest.mark.parametrize(
    ("view", "arm", "class_set", "images"),
    [
        ("real", "real", "all 10 classes", 50),
        ("mixed", "real + synthetic", "all 10 classes", 56),
        ("even", "real + synthetic, oversampled", "all 10 classes", 110),
    ],
)
def test_a_view_says_what_it_holds(
    trained: Workspace, view: str, arm: str, class_set: str, images: int
) -> None:
    held = reading.contents(trained, views.by_name(trained.db, view).id)
    assert (held.arm, held.class_set, sum(held.counts.values())) == (arm, class_set, images)


def test_some_classes_are_named_and_generators_too(trained: Workspace) -> None:
    assert reading.contents(trained, views.by_name(trained.db, "two").id).class_set == "3, 8"
    mixed = reading.contents(trained, views.by_name(trained.db, "mixed").id)
    wanted = {row[0] for row in trained.db.query("SELECT DISTINCT generator FROM generations")}
    assert set(mixed.generators) == wanted
    assert reading.contents(trained, views.by_name(trained.db, "real").id).generators == ()


def test_every_training_is_listed_newest_first(trained: Workspace) -> None:
    first, _ = plant_run(trained, "real", 0)
    second, _ = plant_run(trained, "mixed", 0)
    model = models.add(
        trained.db,
        name="kept",
        recipe=RECIPE.name,
        revision="0" * 64,
        seed=3,
        view_id=first.view_id,
        file="models/none.safetensors",
        metrics={**first.metrics, "test_fingerprint": first.test_fingerprint, "epochs": 2},
        environment={},
    )
    found = reading.entries(trained, known_of(trained))
    assert {each.sides for each in found} == {
        (f"run:{first.id}",),
        (f"run:{second.id}",),
        (f"model:{model.id}",),
    }
    stamps = [each.created_at for each in found]
    assert stamps == sorted(stamps, reverse=True)
    (run,) = [each for each in found if each.sides == (f"run:{second.id}",)]
    assert run.arms == ("real + synthetic",)
    assert run.recipes == (RECIPE.name,)
    assert run.accuracies == (second.metrics["accuracy"],)


def test_a_cell_holds_the_images_that_the_run_took_for_that_class(trained: Workspace) -> None:
    run, predicted = plant_run(trained, "real", 0)
    rows = catalog.hashes_of_split(trained.db, "test")
    ids = {sha256: catalog.image_by_hash(trained.db, sha256).id for sha256, _ in rows}
    guess = int(np.argmax(run.metrics["confusion"][3]))
    wanted = {
        ids[sha256]
        for (sha256, label), named in zip(rows, predicted, strict=True)
        if (label, named) == (3, guess)
    }
    cell = reading.cell(trained, f"run:{run.id}", 3, guess)
    assert set(cell.ids) == wanted
    assert len(cell.ids) == run.metrics["confusion"][3][guess]
    assert set(cell.times) == {1}
    assert cell.missing == ""


def plant_comparison(workspace: Workspace, sides: list[list[runs.Run]]) -> int:
    """A comparison of planted runs, with the figures that the cells rest on."""
    named = []
    for name, side in zip(("real", "mixed"), sides, strict=True):
        accuracies = [each.metrics["accuracy"] for each in side]
        confusion = np.sum([each.metrics["confusion"] for each in side], axis=0).tolist()
        named.append(
            {
                "view": name,
                "counts": views.counts(workspace.db, side[0].view_id),
                "accuracies": accuracies,
                "accuracy": float(np.mean(accuracies)),
                "per_class": side[0].metrics["per_class"],
                "confusion": confusion,
            }
        )
    result = {
        "recipe": RECIPE.name,
        "seeds": [each.seed for each in sides[0]],
        "test_images": TEST,
        "test_fingerprint": sides[0][0].test_fingerprint,
        "baseline": named[0],
        "augmented": named[1],
        "difference": named[1]["accuracy"] - named[0]["accuracy"],
        "ci": [-0.1, 0.1],
        "confidence": 0.95,
        "verdict": "not enough evidence",
        "verdict_text": "",
        "seeds_needed": None,
        "per_class_difference": [],
        "environment": {},
    }
    return views.add_comparison(workspace.db, sides[0][0].view_id, sides[1][0].view_id, result)[0]


def test_a_comparison_is_two_sides_whose_cells_count_the_seeds(trained: Workspace) -> None:
    sides = [[plant_run(trained, view, seed)[0] for seed in (0, 1, 2)] for view in ("real", "mixed")]
    number = plant_comparison(trained, sides)
    entry = next(each for each in reading.entries(trained, known_of(trained)) if each.kind == "comparison")
    assert entry.sides == (f"comparison:{number}:baseline", f"comparison:{number}:augmented")
    assert entry.arms == ("real", "real + synthetic")
    assert entry.verdict == "not enough evidence"
    side = reading.side(trained, entry.sides[1], known_of(trained))
    assert side.seeds == (0, 1, 2)
    cell = reading.cell(trained, entry.sides[1], 4, 4)
    assert sum(cell.times) == side.confusion[4][4]
    assert list(cell.times) == sorted(cell.times, reverse=True)


def test_after_a_test_label_changed_the_images_are_not_known(trained: Workspace) -> None:
    run, _ = plant_run(trained, "real", 0)
    image = catalog.labeled_of_split(trained.db, "test")[0][0]
    label = LabelEntry(image, "class", "ann", "human", "correction", 0, reason="it is a nought")
    before = fingerprint(catalog.hashes_of_split(trained.db, "test"))
    for index in (0, 1):
        entry = LabelEntry(image, "class", "ann", "human", f"correction{index}", index, reason=label.reason)
        label_log.append(trained.db, [entry])
    assert fingerprint(catalog.hashes_of_split(trained.db, "test")) != before
    cell = reading.cell(trained, f"run:{run.id}", 3, 7)
    assert cell.ids == ()
    assert "changed since" in cell.missing


def test_a_run_of_an_earlier_release_kept_no_predictions(trained: Workspace) -> None:
    run, _ = plant_run(trained, "real", 0)
    for path in (trained.root / "runs").glob("*.predictions.safetensors"):
        path.unlink()
    cell = reading.cell(trained, f"run:{run.id}", 3, 7)
    assert cell.ids == ()
    assert cell.missing == "1 of 1 runs have no stored predictions"


@pytest.mark.parametrize(
    "key", ["run", "run:", "run:x", "run:1:baseline", "comparison:1", "comparison:1:both", "view:1", "run:99"]
)
def test_jobs_that_are_not_trainings_are_refused(trained: Workspace, key: str) -> None:
    with pytest.raises(UnknownName):
        reading.side(trained, key, known_of(trained))
