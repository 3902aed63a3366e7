"""Plain against contextual generation: as many images of each, trained alone and mixed, and compared as sets."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from synthaug.errors import UnknownName
from synthaug.experiments.base import Result
from synthaug.experiments.context import Context
from synthaug.experiments.lab import Lab
from synthaug.experiments.run import run_experiment
from synthaug.experiments.similarity import mean_curve, similarity_panels, sizes
from synthaug.importers.digits import digits_arrays
from synthaug.store import generations, jobs, views
from synthaug.store.views import ViewImage
from synthaug.workspace import Workspace

pytestmark = pytest.mark.long

PIPELINES = ("plain", "contextual")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Result]:
    root = tmp_path_factory.mktemp("context") / "work"
    result, _ = run_experiment("context", root, "smoke")
    return Workspace.open(root), result


def members(workspace: Workspace, view: str) -> list[ViewImage]:
    return views.members(workspace.db, views.by_name(workspace.db, view).id)


def test_sets_are_as_large_as_the_real_one(done: tuple[Workspace, Result]) -> None:
    workspace, result = done
    _, labels, is_test = digits_arrays()
    real = [round(each * 0.15) for each in np.bincount(labels[~is_test])]
    rows = {row.arm: row for row in result.rows}
    assert list(rows["real"].counts.values()) == real
    for pipeline in PIPELINES:
        only, mixed = (rows[f"{pipeline}-{each}"] for each in ("only", "mixed"))
        assert list(only.counts.values()) == real
        assert {each.origin for each in members(workspace, only.view)} == {"synthetic"}
        assert list(mixed.counts.values()) == [2 * each for each in real]
        assert Counter(each.origin for each in members(workspace, mixed.view)) == {
            "real": sum(real),
            "synthetic": sum(real),
        }
    recipes = {run.arm: run.metrics["recipe"] for run in result.runs}
    # "Equal hyper-parameters"; every arm has the updates of the mixed sets.
    assert all(recipes[arm] == recipes["real"] for arm in rows)
    epochs, batch = recipes["real"]["epochs"], recipes["real"]["batch_size"]
    assert recipes["real"]["steps"] == epochs * math.ceil(2 * sum(real) / batch)


def test_contextual_images_start_from_real_ones_of_their_class(done: tuple[Workspace, Result]) -> None:
    workspace, result = done
    view = {row.arm: row.view for row in result.rows}
    real = {each.sha256: each.class_index for each in members(workspace, view["real"])}
    for pipeline, start in zip(PIPELINES, ("text", "context"), strict=True):
        only, mixed = (members(workspace, view[f"{pipeline}-{each}"]) for each in ("only", "mixed"))
        made = generations.of_images(workspace.db, [each.image_id for each in only])
        assert {each.sha256 for each in only} == {each.sha256 for each in mixed} - real.keys()
        for image in only:
            generation = made[image.image_id]
            params = jobs.get(workspace.db, generation.job_id).params
            assert (params["start"], params["label"]) == (start, workspace.classes[image.class_index])
            source = generation.details.get("source")
            assert source is None if start == "text" else real[str(source)] == image.class_index


def test_seeds_are_paired_and_nothing_is_done_twice(done: tuple[Workspace, Result]) -> None:
    workspace, result = done
    by_id = {run.id: run for run in result.runs}
    seeds = {tuple(by_id[each].seed for each in row.runs) for row in result.rows}
    assert seeds == {tuple(range(len(result.rows[0].runs)))}
    before = len(jobs.latest(workspace.db))
    said: list[str] = []
    again, _ = run_experiment("context", workspace.root, "smoke", say=said.append)
    assert again.rows == result.rows
    assert again.panels == result.panels
    assert f"{len(result.runs)} of {len(result.runs)} runs are already finished" in said
    assert len(jobs.latest(workspace.db)) == before


def test_the_pipelines_are_weighed_against_each_other(done: tuple[Workspace, Result]) -> None:
    rows = {row.arm: row for row in done[1].rows}
    for row, mixture in zip(done[1].contrasts, ("only", "mixed"), strict=True):
        plain, contextual = (rows[f"{each}-{mixture}"] for each in PIPELINES)
        assert row.against == plain.title
        assert row.runs == contextual.runs
        assert row.difference == pytest.approx(contextual.accuracy - plain.accuracy)


def test_curves_over_set_size(done: tuple[Workspace, Result]) -> None:
    *figures, table = done[1].panels
    fewest = min(min(row.counts.values()) for row in done[1].rows)
    assert len(figures) == 4
    for panel in figures:
        assert panel.figure is not None
        lines = {each["name"]: each for each in panel.figure["data"] if each.get("showlegend")}
        assert list(lines) == ["real test images", "plain", "contextual", "real training images"]
        for line in lines.values():
            assert line["x"] == sizes(fewest)
            assert np.isfinite(line["y"]).all()
    columns = dict(zip(table.columns, zip(*table.rows, strict=True), strict=True))
    assert all(1 <= each <= fewest for each in columns["vendi"])
    assert all(-1 <= each <= 1 for each in columns["mean cosine"])
    assert columns["coverage"][0] is None
    assert all(0 <= each <= 1 for each in columns["coverage"][1:])


def test_diversifying_one_class_leaves_the_others_real(digits: Workspace) -> None:
    plan = Context("smoke", classes="8").prepare(Lab(digits))
    view = {arm.name: arm.view for arm in plan.arms}
    for arm in ("plain-only", "contextual-only"):
        origins = {(each.class_index, each.origin) for each in members(digits, view[arm])}
        assert origins == {(i, "synthetic" if i == 8 else "real") for i in range(10)}


def test_a_class_that_is_not_there(digits: Workspace) -> None:
    with pytest.raises(UnknownName, match="cat"):
        Context("smoke", classes="8, cat").prepare(Lab(digits))


def test_curves_are_halved_from_the_whole() -> None:
    assert sizes(80) == [5, 10, 20, 40, 80]
    assert sizes(19) == [9, 19]
    assert sizes(1000) == [31, 62, 125, 250, 500, 1000]
    assert sizes(3) == [3]


def test_copies_are_alike_and_a_basis_is_not() -> None:
    axes, copies = np.eye(16, dtype=np.float32), np.ones((16, 16), np.float32)
    for measure, of_axes, of_copies in (
        ("vendi", 16, 1),
        ("mean cosine", 0, 1),
        ("neighbor median", 1, 0),
    ):
        for rows, expected in ((axes, of_axes), (copies, of_copies)):
            (whole,) = mean_curve([rows], [16], measure)
            assert (whole.mean, whole.low, whole.high) == pytest.approx((expected,) * 3, abs=1e-5)
        # Of two classes, the mean.
        (both,) = mean_curve([axes, copies], [16], measure)
        assert both.mean == pytest.approx((of_axes + of_copies) / 2, abs=1e-5)
    # A part of a basis is as different as it can be.
    assert [point.mean for point in mean_curve([axes], [4, 8], "vendi")] == pytest.approx([4, 8])


def test_real_images_lie_among_themselves_and_others_far_off_do_not() -> None:
    near = np.random.default_rng(0).normal(size=(2, 30, 8)).astype(np.float32)
    *_, table = similarity_panels({"real": near, "same": near, "far": near + 100}, "real", "features")
    assert table.rows[0][-4:] == (None,) * 4
    assert table.rows[1][6:] == (1.0, 1.0, table.rows[1][8], 1.0)
    assert table.rows[2][6:] == (0.0,) * 4
