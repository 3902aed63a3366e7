"""Carrying an experiment out: every run once, resumable, and weighed as by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from synthaug.classifiers.recipes import find_recipe
from synthaug.errors import Cancelled, UserError
from synthaug.executors.base import ExecutorSpec
from synthaug.experiments.arms import class_weighted, equal_steps, logit_adjusted, with_updates
from synthaug.experiments.base import Arm, Contrast, Panel, Plan, Row
from synthaug.experiments.execute import carry_out
from synthaug.experiments.lab import Lab
from synthaug.stages.run_cache import Trainer, recipe_key
from synthaug.stages.view import ViewSpec
from synthaug.store import views
from synthaug.workspace import Workspace

RECIPE = replace(find_recipe("digits"), epochs=2, warmup_epochs=1)
EQUAL = RECIPE.for_updates_of(400)  # what both arms of FewOrMany are trained with


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
        contrasts = (Contrast("few", "many", "Few against many"),)
        return Plan(tuple(arms), "few", self.seeds, focus=("8",), notes=("a note",), contrasts=contrasts)

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
    # 500 test digits: the rounding of two shares is added to the spread of their differences.
    spread = np.sqrt(differences.var(ddof=1) + 500.0**-2 / 6)
    interval = stats.t.interval(0.96, 2, loc=differences.mean(), scale=spread / np.sqrt(3))
    assert many.difference_interval == pytest.approx(interval)
    assert (many.look, many.confidence) == (1, pytest.approx(0.96))
    assert many.difference_over_images is not None
    assert many.difference_over_images[0] <= interval[0]
    assert many.difference_over_images[1] >= interval[1]
    for name, values in (("macro_auc", many.macro_auc), ("matched_accuracy", many.matched_accuracies)):
        assert values == tuple(by_id[each].metrics[name] for each in many.runs)
    assert many.auc["8"] == pytest.approx(np.mean([by_id[each].metrics["auc"][8] for each in many.runs]))
    assert many.matched_change is not None
    assert many.matched_change.difference == pytest.approx(
        np.subtract(many.matched_accuracies, few.matched_accuracies).mean()
    )
    assert many.measures == {}  # what has a place of its own is no further measure
    (turned,) = result.contrasts
    assert (turned.title, turned.against, turned.runs) == ("Few against many", "Many", few.runs)
    assert turned.difference == pytest.approx(-differences.mean())
    assert many.class_changes.keys() == set(digits.classes)
    assert many.published == {"accuracy": 0.5}
    assert result.panels[0].rows == (("few", 100), ("many", 400))
    first = result.runs[0]
    assert first.metrics["recipe"]["epochs"] == 2
    # Two epochs of 400 images in batches of 64 are 14 updates: seven epochs of the 100.
    assert [each["epoch"] for each in first.metrics["history"]] == [1, 2, 3, 4, 5, 6, 7]
    assert first.environment["command"].startswith("synthaug")


def test_finished_runs_are_never_repeated(digits: Workspace) -> None:

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
    assert "3 of 6 runs are already finished" in said
    again = carry_out(FewOrMany(), lab(digits), "smoke")
    assert again.rows == result.rows


def test_more_seeds_are_a_further_look(digits: Workspace) -> None:
    looks = [carry_out(FewOrMany(seeds), lab(digits), "smoke").rows[1] for seeds in (2, 3, 4, 3)]
    assert [each.look for each in looks] == [1, 1, 2, 1]  # two seeds give no verdict, and are no look
    assert [each.confidence for each in looks] == pytest.approx([0.96, 0.96, 0.992, 0.96])
    assert "look 2" in " ".join(looks[2].reservations)


def test_arms_take_the_updates_of_the_largest_set_or_their_own_epochs() -> None:
    arms = tuple(Arm(name, name, name, RECIPE) for name in ("small", "large"))
    sizes = {"small": 100, "large": 400}
    equal = with_updates(Plan(arms, "small", 1), sizes.__getitem__)
    assert [arm.recipe.steps for arm in equal.arms] == [14, 14]
    own = with_updates(Plan(arms, "small", 1, updates="epochs"), sizes.__getitem__)
    assert [(arm.name, arm.recipe.steps) for arm in own.arms] == [
        ("small", None),
        ("small-equal-steps", 14),
        ("large", None),
    ]
    even = Plan(arms, "small", 1)
    assert with_updates(even, lambda view: 100) is even


@pytest.mark.long
def test_processes_measure_what_one_process_measures(digits: Workspace, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "copy"
    digits.db.close()
    shutil.copytree(digits.root, copy)
    alone = carry_out(FewOrMany(1), lab(Workspace.open(digits.root)), "smoke")
    together = carry_out(
        FewOrMany(1), lab(Workspace.open(copy)), "smoke", ExecutorSpec("processes", workers=2)
    )
    assert [row.confusion for row in together.rows] == [row.confusion for row in alone.rows]


def test_weights_of_the_first_seed_are_kept(digits: Workspace) -> None:
    from synthaug.classifiers.fitted import FittedClassifier

    carry_out(FewOrMany(2), lab(digits), "smoke")
    trainer = Trainer(digits)
    view = views.by_name(digits.db, "many")
    test = trainer.test_set(EQUAL).data
    stored = FittedClassifier.load(trainer.weights(view, EQUAL, 0))
    run = trainer.find(view, EQUAL, 0)
    assert run is not None
    accuracy = float((stored.probabilities(test.inputs).argmax(1) == test.labels).mean())
    assert accuracy == pytest.approx(run.metrics["accuracy"], abs=0.01)  # stored in half precision
    assert not trainer.weights(view, EQUAL, 1).exists()


def test_a_view_made_otherwise_is_refused(digits: Workspace) -> None:
    bench = lab(digits)
    first = bench.view("some", ViewSpec(fraction=0.5))
    assert bench.view("some", ViewSpec(fraction=0.5)) == first
    with pytest.raises(UserError, match="other options"):
        bench.view("some", ViewSpec(fraction=0.6))


def test_a_plan_without_seeds_is_refused_before_training(digits: Workspace) -> None:
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


class Redrawn(FewOrMany):
    """Few digits, other ones for every seed."""

    def prepare(self, lab: Lab) -> Plan:
        lab.imported("digits")
        keep = dict.fromkeys(lab.workspace.classes, 10)
        names = [lab.view(f"few-{seed}", ViewSpec(keep=keep, seed=seed)).name for seed in range(3)]
        arm = Arm("few", "Few", names[0], RECIPE, redrawn=tuple(names[1:]))
        return Plan((arm, Arm("first", "The same for all", names[0], RECIPE)), "first", self.seeds)


def test_an_arm_may_have_a_view_for_every_seed(digits: Workspace) -> None:
    result = carry_out(Redrawn(), lab(digits), "smoke")
    few, first = result.rows
    assert few.runs[0] == first.runs[0]
    assert set(few.runs[1:]).isdisjoint(first.runs)
    views_of = [
        digits.db.query(
            "SELECT name FROM views JOIN runs ON runs.view_id = views.id WHERE runs.id = ?", [each]
        )
        for each in few.runs
    ]
    assert [row["name"] for (row,) in views_of] == ["few-0", "few-1", "few-2"]
    assert few.difference == pytest.approx(np.mean(few.accuracies) - np.mean(first.accuracies))


def test_an_arm_that_is_drawn_anew_needs_a_view_for_every_seed(digits: Workspace) -> None:
    with pytest.raises(ValueError, match="one view for every seed"):
        carry_out(Redrawn(seeds=2), lab(digits), "smoke")
