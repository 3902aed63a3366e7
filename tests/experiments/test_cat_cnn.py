"""Generated images for a rare class and a simple CNN: the sets are the document's, and nothing is done twice."""

from __future__ import annotations

import numpy as np
import pytest

from synthaug.errors import UnknownName, UserError
from synthaug.experiments import load_experiment
from synthaug.experiments.base import Result
from synthaug.experiments.cat_cnn import CatCnn
from synthaug.experiments.lab import Lab
from synthaug.experiments.run import run_experiment
from synthaug.importers.digits import digits_arrays
from synthaug.store import generations, jobs, views
from synthaug.workspace import Workspace

pytestmark = pytest.mark.long

RARE = 8


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Result]:
    root = tmp_path_factory.mktemp("cats") / "work"
    result, _ = run_experiment("cat-cnn", root, "smoke")
    return Workspace.open(root), result


def jobs_of(workspace: Workspace, view: str) -> set[tuple[str, int]]:
    """Class and generation job of a view's synthetic images."""
    members = views.members(workspace.db, views.by_name(workspace.db, view).id)
    synthetic = [each for each in members if each.origin == "synthetic"]
    made = generations.of_images(workspace.db, [each.image_id for each in synthetic])
    return {(workspace.classes[each.class_index], made[each.image_id].job_id) for each in synthetic}


def test_sets_hold_what_the_document_says(done: tuple[Workspace, Result]) -> None:
    _, result = done
    _, labels, is_test = digits_arrays()
    quarter = [round(each * 0.25) for each in np.bincount(labels[~is_test])]
    few = round(0.1 * quarter[RARE])
    counts = {row.arm: list(row.counts.values()) for row in result.rows}
    assert counts["balanced"] == quarter
    scarce = [*quarter[:RARE], few, *quarter[RARE + 1 :]]
    for arm in ("", "-class-weighted", "-logit-adjusted"):
        assert counts[f"imbalanced{arm}"] == scarce
    assert counts["oversampled"] == [*quarter[:RARE], max(scarce), *quarter[RARE + 1 :]]
    assert counts["synthetic"] == counts["finetuned"] == quarter
    assert (result.baseline, result.focus) == ("imbalanced", ("8",))
    assert not any(row.published for row in result.rows)


def test_generated_images_come_from_the_right_jobs(done: tuple[Workspace, Result]) -> None:
    workspace, result = done
    generated = {}
    for row in result.rows:
        found = jobs_of(workspace, row.view)
        if row.arm not in ("synthetic", "finetuned"):
            assert not found
            continue
        ((name, job_id),) = found
        assert name == "8"
        generated[row.arm] = jobs.get(workspace.db, job_id).params
    plain, tuned = generated["synthetic"], generated["finetuned"]
    assert plain["generator"] == "digits"
    assert (workspace.root / "models" / "finetuned" / tuned["generator"]).is_dir()
    # The generators alone differ.
    assert {key for key in plain if plain[key] != tuned[key]} == {"generator"}


def test_fine_tuning_saw_only_what_stayed(done: tuple[Workspace, Result]) -> None:
    workspace, result = done
    (job,) = jobs.latest(workspace.db, kinds=("finetune",))
    seen = views.members(workspace.db, views.by_name(workspace.db, job.params["view"]).id)
    scarce = next(row.view for row in result.rows if row.arm == "imbalanced")
    members = views.members(workspace.db, views.by_name(workspace.db, scarce).id)
    stayed = {each.sha256 for each in members if each.class_index == RARE}
    assert {each.sha256 for each in seen} == stayed
    assert job.params["config"]["steps"] == 4


def test_seeds_are_paired(done: tuple[Workspace, Result]) -> None:
    _, result = done
    by_id = {run.id: run for run in result.runs}
    seeds = {tuple(by_id[each].seed for each in row.runs) for row in result.rows}
    assert seeds == {tuple(range(len(result.rows[0].runs)))}


def test_a_second_run_repeats_nothing(done: tuple[Workspace, Result]) -> None:
    workspace, result = done
    before = len(jobs.latest(workspace.db))
    said: list[str] = []
    again, _ = run_experiment("cat-cnn", workspace.root, "smoke", say=said.append)
    assert again.rows == result.rows
    assert f"{len(result.runs)} of {len(result.runs)} runs are already finished" in said
    assert len(jobs.latest(workspace.db)) == before
    assert len(workspace.db.query("SELECT id FROM runs")) == len(result.runs)


def test_panels(done: tuple[Workspace, Result]) -> None:
    _, result = done
    gap, components = result.panels
    rows = {row.title: row for row in result.rows}
    by_name = {row.arm: row for row in result.rows}
    low, high = by_name["imbalanced"], by_name["balanced"]
    assert {each[0] for each in gap.rows} == rows.keys() - {low.title, high.title}
    for title, of_accuracy, _, of_auc in gap.rows:
        row = rows[str(title)]
        way = (row.accuracy - low.accuracy) / (high.accuracy - low.accuracy)
        assert of_accuracy == pytest.approx(100 * way, abs=0.05)
        aucs = [float(each.auc["8"] or 0) for each in (low, row, high)]
        assert of_auc == pytest.approx(100 * (aucs[1] - aucs[0]) / (aucs[2] - aucs[0]), abs=0.05)
    assert [each[:2] for each in components.rows] == [
        ("real 8", high.counts["8"]),
        ("generated", high.counts["8"] - low.counts["8"]),
        ("generated, fine-tuned", high.counts["8"] - low.counts["8"]),
    ]
    assert components.figure is not None
    for trace in components.figure["data"]:
        assert np.isfinite([*trace["x"], *trace["y"]]).all()


def test_the_arm_of_fine_tuning_can_be_left_out(done: tuple[Workspace, Result]) -> None:
    workspace, result = done
    experiment = load_experiment("cat-cnn", "smoke", finetune_steps="0")
    plan = experiment.prepare(Lab(workspace))
    assert [arm.name for arm in plan.arms] == [row.arm for row in result.rows if row.arm != "finetuned"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kept": "0"}, "kept is 0; it must be a share"),
        ({"kept": 1}, "kept is 1; it must be a share"),
        ({"kept": "few"}, "'few' is not a number"),
        ({"finetune_steps": -1}, "finetune_steps is -1"),
        ({"finetune_steps": "2.5"}, "'2.5' is not an integer"),
    ],
)
def test_options_that_cannot_be(options: dict[str, object], said: str) -> None:
    with pytest.raises(UserError, match=said):
        CatCnn("smoke", **options)


def test_classes_and_options_that_are_not_there(done: tuple[Workspace, Result]) -> None:
    with pytest.raises(UnknownName, match="colour"):
        CatCnn("smoke", colour="red")
    experiment = CatCnn("smoke", minority="cat")
    with pytest.raises(UserError, match="no class 'cat'; choose one of 0, 1"):
        experiment.prepare(Lab(done[0]))
