"""Training and evidence, on real digits."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from scipy.special import softmax
from sklearn.metrics import roc_auc_score

from synthaug.classifiers.fitted import FittedClassifier
from synthaug.classifiers.recipes import find_recipe
from synthaug.errors import Cancelled, UserError
from synthaug.reading import explore
from synthaug.records import LabelEntry
from synthaug.stages.compare import all_comparisons, compare, stored_comparison
from synthaug.stages.label import record
from synthaug.stages.predict import predict
from synthaug.stages.run_cache import Trainer
from synthaug.stages.score import score
from synthaug.stages.train import load_test_set, resolve_recipe, train
from synthaug.stages.view import ViewSpec, make_view
from synthaug.store import catalog, models, views
from synthaug.workspace import Workspace
from tests.stages.helpers import add_synthetic

pytestmark = pytest.mark.slow


@pytest.fixture
def small(digits: Workspace) -> Workspace:
    """Views of 20 images a class, and the same without eights but five."""
    make_view(digits, "balanced", ViewSpec(keep=dict.fromkeys(digits.classes, 20)))
    make_view(digits, "scarce", ViewSpec(base="balanced", keep={"8": 1}))
    return digits


def test_a_model_is_trained_measured_stored_and_loads_again(small: Workspace) -> None:
    model = train(small, "balanced", epochs=4)
    assert model.metrics["test_images"] == 500
    confusion = np.array(model.metrics["confusion"])
    assert confusion.sum() == 500
    assert model.metrics["accuracy"] == pytest.approx(np.trace(confusion) / 500)
    loaded = FittedClassifier.load(small.root / model.file)
    assert loaded.revision == model.revision
    test = load_test_set(small, loaded.recipe)
    again = float((loaded.probabilities(test.data.inputs).argmax(1) == test.data.labels).mean())
    assert again == pytest.approx(model.metrics["accuracy"])
    with pytest.raises(UserError, match="exists"):
        train(small, "balanced", epochs=4)


def test_predict_covers_what_is_new_and_score_places_every_image(small: Workspace) -> None:
    train(small, "balanced", epochs=2, name="m")
    assert predict(small).predicted == 1797
    made = add_synthetic(small, 12, 8)
    assert predict(small).predicted == 12
    assert predict(small).predicted == 0
    assert score(small).scored == 1809
    rows = {row["id"]: row for row in models.scored_images(small.db)}
    assert len(rows) == 1809
    noise = [rows[each]["ood_real"] for each in made]
    assert min(noise) > 0.95  # random noise is farther from the digits than almost every digit
    assert all(rows[image.id]["ood_real"] is None for image in catalog.find_images(small.db, origin="real"))


def test_the_points_version_changes_with_what_the_points_show(small: Workspace) -> None:
    train(small, "balanced", epochs=1, name="m")
    add_synthetic(small, 2, 8)
    score(small)
    before = explore.version(small)
    shown = explore.points(small)
    assert explore.version(small) == before
    record(small, [LabelEntry(int(shown.ids[-1]), "reject", "ann", "human", "op")])
    assert explore.version(small) != before
    assert explore.points(small).state[-1] != shown.state[-1]
    labeled = explore.version(small)
    score(small)
    assert explore.version(small) != labeled


def test_evidence_is_paired_kept_and_not_repeated(small: Workspace) -> None:
    seen: list[str] = []
    found = compare(small, "scarce", "balanced", 3, epochs=3, progress=lambda *a: seen.append(a[2]["run"]))
    assert len(seen) == 2 * 3 * 3
    differences = np.array(found.augmented.accuracies) - np.array(found.baseline.accuracies)
    assert found.difference == pytest.approx(differences.mean())
    assert found.ci[0] <= found.difference <= found.ci[1]
    assert np.sum(found.baseline.confusion) == 3 * 500
    eight = next(change for change in found.per_class_difference if change.class_name == "8")
    assert eight.difference == pytest.approx(found.augmented.per_class[8] - found.baseline.per_class[8])
    seen.clear()
    again = compare(small, "scarce", "balanced", 3, epochs=3, progress=lambda *a: seen.append(a[2]["run"]))
    assert seen == []
    assert again.baseline == found.baseline
    assert [each.id for each in all_comparisons(small)] == [again.id, found.id]


def test_a_comparison_says_what_is_known_of_each_class_and_of_other_images(small: Workspace) -> None:
    found = compare(small, "scarce", "balanced", 3, epochs=3)
    trainer = Trainer(small)
    recipe = resolve_recipe(small, None, 3)
    labels = trainer.test_set(recipe).data.labels
    stored = load_file(trainer.predictions(views.by_name(small.db, "scarce"), recipe, 0))
    assert stored["log_probs"].dtype == np.float16
    assert (stored["predicted"] == labels).mean() == found.baseline.accuracies[0]
    shares = softmax(stored["log_probs"].astype(float), axis=1)  # in half precision they do not sum to 1
    theirs = roc_auc_score(labels, shares, multi_class="ovr", average=None)
    run = trainer.find(views.by_name(small.db, "scarce"), recipe, 0)
    assert run is not None
    np.testing.assert_allclose(run.metrics["auc"], theirs, atol=1e-3)  # stored in half precision
    assert found.baseline.macro_auc[0] == pytest.approx(np.mean(run.metrics["auc"]))
    assert found.macro_auc is not None
    assert found.macro_auc.difference == pytest.approx(
        np.mean(found.augmented.macro_auc) - np.mean(found.baseline.macro_auc)
    )
    assert found.ci_images is not None
    assert found.ci_images[0] <= found.ci[0] <= found.ci[1] <= found.ci_images[1]
    gained = [each.gained - each.lost for each in found.mcnemar]
    differences = np.subtract(found.augmented.accuracies, found.baseline.accuracies)
    np.testing.assert_allclose(np.array(gained) / 500, differences)
    eight = found.per_class_difference[8]
    assert eight.auc_difference == pytest.approx(found.augmented.auc[8] - found.baseline.auc[8])


def test_going_on_with_more_seeds_is_a_further_look(small: Workspace) -> None:
    looks = [compare(small, "scarce", "balanced", seeds, epochs=1) for seeds in (3, 4, 3)]
    assert [each.look for each in looks] == [1, 2, 1]
    assert [each.confidence for each in looks] == pytest.approx([0.96, 0.992, 0.96])
    assert "look 2" in looks[1].verdict_text
    # Another recipe is another question.
    assert compare(small, "scarce", "balanced", 4, epochs=2).look == 1


def test_runs_and_comparisons_of_release_0_1_are_still_read(small: Workspace) -> None:
    """Then, runs kept neither predictions nor AUC, and comparisons had no looks."""
    found = compare(small, "scarce", "balanced", 3, epochs=1)
    for file in (small.root / "runs").glob("*.predictions.safetensors"):
        file.unlink()
    with small.db.transaction() as connection:
        for row in small.db.query("SELECT id, metrics FROM runs"):
            kept = json.loads(row["metrics"])
            for name in ("auc", "macro_auc", "matched_accuracy"):
                del kept[name]
            connection.execute("UPDATE runs SET metrics = ? WHERE id = ?", [json.dumps(kept), row["id"]])
    again = compare(small, "scarce", "balanced", 3, epochs=1)
    assert (again.ci, again.verdict) == (found.ci, found.verdict)
    assert (again.ci_images, again.mcnemar, again.macro_auc) == (None, (), None)
    new = {"look", "smallest_effect", "ci_images", "mcnemar", "macro_auc", "matched_accuracy"}
    old = {name: value for name, value in asdict(found).items() if name not in {"id", "created_at", *new}}
    for side in ("baseline", "augmented"):
        for name in ("auc", "macro_auc", "matched_accuracies"):
            del old[side][name]
    read = stored_comparison(1, "2026-01-01", old | {"verdict": "did not help"})
    assert (read.verdict, read.macro_auc, read.baseline.auc) == ("did not help", None, [])


def test_an_interrupted_comparison_goes_on(small: Workspace) -> None:
    runs: list[str] = []

    def stop_in_the_third_run(done: int, total: int, epoch: dict[str, object]) -> None:
        runs.append(str(epoch["run"]))
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        compare(small, "scarce", "balanced", 3, epochs=1, progress=stop_in_the_third_run)
    runs.clear()
    compare(small, "scarce", "balanced", 3, epochs=1, progress=lambda *a: runs.append(a[2]["run"]))
    assert runs == ["baseline/2", "augmented/0", "augmented/1", "augmented/2"]


def test_equal_steps_give_the_smaller_set_as_many_updates(small: Workspace) -> None:
    found = compare(small, "scarce", "balanced", 3, epochs=1, equal_steps=True)
    assert found.equal_steps
    # 200 images in batches of 64: four updates, also for the 181 of the other side and whatever the seed.
    rows = small.db.query("SELECT metrics FROM runs")
    assert {json.loads(row["metrics"])["recipe"]["steps"] for row in rows} == {4}
    assert len(rows) == 6
    assert found.bootstrap is not None
    assert found.bootstrap[0] <= found.difference <= found.bootstrap[1]
    assert all_comparisons(small)[0] == found


def test_the_fingerprint_is_of_hashes_and_labels(small: Workspace) -> None:
    rows = catalog.hashes_of_split(small.db, "test")
    text = "\n".join(f"{sha256} {label}" for sha256, label in sorted(rows))
    assert (
        load_test_set(small, find_recipe("small-cnn")).fingerprint
        == hashlib.sha256(text.encode()).hexdigest()
    )


def test_a_comparison_names_what_is_missing(workspace: Workspace, small: Workspace) -> None:
    with pytest.raises(UserError, match="no view called 'nope'"):
        compare(small, "scarce", "nope", 3)
    with pytest.raises(UserError, match="number of seeds is 1"):
        compare(small, "scarce", "balanced", 1)
    with pytest.raises(UserError, match="recipe"):
        compare(small, "scarce", "balanced", 3, recipe="magic")


def test_training_a_view_needs_test_images(tmp_path: Path, digits: Workspace) -> None:
    from synthaug.stages.importing import import_images

    workspace = Workspace.create(tmp_path / "w", (), "digits")
    import_images(workspace, "digits", "digits", split="train")
    make_view(workspace, "all", ViewSpec())
    with pytest.raises(UserError, match="no labeled real test images"):
        train(workspace, "all", epochs=1)
    assert not models.names(workspace.db)
    assert views.all_views(workspace.db)
