"""Carrying an experiment out: every run once, resumable, and weighed as by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from synthaug.classifiers.recipes import find_recipe
from synthaug.errors import Cancelled, UserError
from synthaug.experiments.arms import class_weighted, equal_steps, logit_adjusted
from synthaug.experiments.base import Arm, Panel, Plan, Row
from synthaug.experiments.execute import carry_out
from synthaug.experiments.lab import Lab
from synthaug.stages.run_cache import Trainer, recipe_key
from synthaug.stages.view import ViewSpec
from synthaug.store import views
from synthaug.workspace import Workspace

RECIPE = replace(find_recipe("digits"), epochs=2, warmup_epochs=1)


class FewOrMany:
    """Ten digits a class against forty."""

    name, title, question, source = "few-or-many", "Few or many", "Do more images help?", "this test"
    preset, reduction = "digits", ""

    def __init__(self, seeds: int = 3) -> None:
        self.seeds = seeds

    def prepare(self, lab: Lab) -> Plan:
        lab.imported("digits")
        arms = []
        for name, count in (("few", 10), ("many", 40)):
            view = lab.view(name, ViewSpec(keep=dict.fromkeys(lab.workspace.classes, count)))
            arms.append(Arm(name, name.title(), view.name, RECIPE, published={"accuracy": 0.5}))
        return Plan(tuple(arms), "few", self.seeds, focus=("8",), notes=("a note",))

    def panels(self, lab: Lab, plan: Plan, rows: tuple[Row, ...]) -> tuple[Panel, ...]:
        return (
            Panel(
                "Images", "how many", columns=("arm", "images"), rows=tuple((r.arm, r.images) for r in rows)
            ),
        )


def lab(workspace: Workspace, said: list[str] | None = None) -> Lab:
    return Lab(workspace, lambda done, total, note: None, (said if said is not None else []).append)


def test_rows_are_what_the_runs_say(digits: Workspace) -> None:
    result = carry_out(FewOrMany(), lab(digits), "smoke")
    few, many = result.rows
    assert (few.images, many.images) == (100, 400)
    assert (few.difference, few.verdict, few.class_changes) == (None, None, {})
    by_id = {run.id: run for run in result.runs}
    for row in (few, many):
        measured = [by_id[each].metrics for each in row.runs]
        assert row.accuracies == tuple(each["accuracy"] for each in measured)
        # Every confusion matrix is over the same 500 test digits.
        assert np.sum(row.confusion) == 3 * 500
        assert row.accuracy == pytest.approx(np.trace(row.confusion) / 1500)
        low, high = stats.t.interval(0.95, 2, loc=row.accuracy, scale=stats.sem(row.accuracies))
        assert row.interval == pytest.approx((max(0, low), min(1, high)))
        assert [by_id[each].seed for each in row.runs] == [0, 1, 2]
    differences = np.subtract(many.accuracies, few.accuracies)
    assert many.difference == pytest.approx(differences.mean())
    assert many.verdict == "helped"  # four times the digits, from about 60% up
    assert many.class_changes.keys() == set(digits.classes)
    assert many.published == {"accuracy": 0.5}
    assert result.panels[0].rows == (("few", 100), ("many", 400))
    first = result.runs[0]
    assert first.metrics["recipe"]["epochs"] == 2
    assert [each["epoch"] for each in first.metrics["history"]] == [1, 2]
    assert first.environment["command"].startswith("synthaug")


def test_what_was_finished_is_never_repeated(digits: Workspace) -> None:

    def after_three_runs() -> bool:
        return len(digits.db.query("SELECT id FROM runs")) >= 3

    with pytest.raises(Cancelled):
        carry_out(FewOrMany(), lab(digits), "smoke", should_cancel=after_three_runs)
    kept = [tuple(row) for row in digits.db.query("SELECT id, metrics FROM runs ORDER BY id")]
    assert len(kept) == 3
    said: list[str] = []
    result = carry_out(FewOrMany(), lab(digits, said), "smoke")
    rows = [tuple(row) for row in digits.db.query("SELECT id, metrics FROM runs ORDER BY id")]
    assert rows[:3] == kept
    assert len(rows) == 6
    assert "3 of 6 runs were finished before" in said
    again = carry_out(FewOrMany(), lab(digits), "smoke")
    assert again.rows == result.rows


def test_processes_measure_what_one_process_measures(digits: Workspace, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "copy"
    digits.db.close()
    shutil.copytree(digits.root, copy)
    alone = carry_out(FewOrMany(1), lab(Workspace.open(digits.root)), "smoke")
    together = carry_out(FewOrMany(1), lab(Workspace.open(copy)), "smoke", workers=2)
    assert [row.confusion for row in together.rows] == [row.confusion for row in alone.rows]


def test_weights_of_the_first_seed_are_kept(digits: Workspace) -> None:
    from synthaug.classifiers.fitted import FittedClassifier

    carry_out(FewOrMany(2), lab(digits), "smoke")
    trainer = Trainer(digits)
    view = views.by_name(digits.db, "many")
    test = trainer.test_set(RECIPE).data
    stored = FittedClassifier.load(trainer.weights(view, RECIPE, 0))
    run = trainer.find(view, RECIPE, 0)
    assert run is not None
    accuracy = float((stored.probabilities(test.images).argmax(1) == test.labels).mean())
    assert accuracy == pytest.approx(run.metrics["accuracy"], abs=0.01)  # stored in half precision
    assert not trainer.weights(view, RECIPE, 1).exists()


def test_a_view_made_otherwise_is_refused(digits: Workspace) -> None:
    bench = lab(digits)
    first = bench.view("some", ViewSpec(fraction=0.5))
    assert bench.view("some", ViewSpec(fraction=0.5)) == first
    with pytest.raises(UserError, match="other options"):
        bench.view("some", ViewSpec(fraction=0.6))


def test_no_seeds_are_refused_before_anything_is_trained(digits: Workspace) -> None:
    with pytest.raises(UserError, match="number of seeds is 0"):
        carry_out(FewOrMany(0), lab(digits), "smoke")


def test_variants_of_an_arm_have_runs_of_their_own() -> None:
    arm = Arm("few", "Few", "few", RECIPE, published={"accuracy": 0.5})
    variants = (class_weighted(arm), logit_adjusted(arm), equal_steps(arm, 400))
    assert len({recipe_key(each.recipe) for each in (arm, *variants)}) == 4
    assert {each.view for each in variants} == {"few"}
    assert all(not each.published for each in variants)
    # 2 epochs of 400 images in batches of 64: 2 * 7 updates.
    assert variants[2].recipe.steps == 14
