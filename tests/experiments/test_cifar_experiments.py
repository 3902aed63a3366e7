"""The three experiments on imbalance, at scale smoke, through the command: sets as the papers count them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from synthaug.cli import cli
from synthaug.experiments import EXPERIMENTS
from synthaug.experiments.report import read
from synthaug.store import generations, jobs, views
from synthaug.workspace import Workspace
from tests.files import copy_workspace


@pytest.fixture(scope="module")
def root(digits_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One workspace for all three: their views have names of their own."""

    copy = tmp_path_factory.mktemp("experiments") / "work"
    copy_workspace(digits_template, copy)
    return copy


def run(root: Path, name: str, *more: str) -> dict[str, object]:
    """What ``synthaug experiment NAME --json`` prints last."""
    from synthaug.cli import experiments  # noqa: F401  (registers the command)

    done = CliRunner().invoke(cli, ["experiment", name, "--workspace", str(root), "--json", *more])
    assert done.exit_code == 0, done.output
    answer: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return answer


def images_of(workspace: Workspace, view: str) -> list[views.ViewImage]:
    return views.members(workspace.db, views.by_name(workspace.db, view).id)


@pytest.mark.long
def test_replacement_keeps_every_count_and_replaces_the_share(root: Path) -> None:
    answer = run(root, "replacement", "--seeds", "1")
    workspace = Workspace.open(root)
    real = Counter(image.class_index for image in images_of(workspace, "replacement-smoke-0"))
    for percent in (2, 4, 6, 8, 10, 12):
        members = images_of(workspace, f"replacement-smoke-{percent}")
        assert Counter(image.class_index for image in members) == real
        made = Counter(image.class_index for image in members if image.origin == "synthetic")
        assert made == Counter({each: round(count * percent / 100) for each, count in real.items()})
    assert [row["arm"] for row in answer["table"]] == ["0", "2", "4", "6", "8", "10", "12"]  # type: ignore[attr-defined]
    assert Path(str(answer["report"])).read_text().count("</html>") == 1


@pytest.mark.long
def test_long_tail_has_the_counts_of_the_formula(root: Path) -> None:
    answer = run(root, "long-tail", "--seeds", "1")
    workspace = Workspace.open(root)
    balanced = views.counts(workspace.db, views.by_name(workspace.db, "long-tail-smoke-balanced").id)
    tail = views.counts(workspace.db, views.by_name(workspace.db, "long-tail-smoke-lt").id)
    largest = max(balanced.values())
    assert tail == {name: int(largest * 0.1 ** (i / 9)) for i, name in enumerate(workspace.classes)}
    rows = {row["arm"]: row for row in answer["table"]}  # type: ignore[attr-defined]
    added = round(0.1 * largest)
    real = sum(tail.values())
    assert [rows[name]["images"] - real for name in ("truck", "ship", "both", "conditional")] == [
        added,
        added,
        2 * added,
        3 * added,
    ]
    assert rows["oversampled"]["images"] == 10 * largest
    # Drawn without a class: nobody asked for one, the labeler gave it.
    pseudo = [
        each for each in images_of(workspace, "long-tail-smoke-unconditional") if each.origin == "synthetic"
    ]
    assert len(pseudo) == rows["unconditional"]["images"] - real <= 3 * added
    made = generations.of_images(workspace.db, [each.image_id for each in pseudo])
    assert {each.class_index for each in made.values()} <= {None}
    assert {each.prompt for each in made.values()} <= {""}


@pytest.mark.long
def test_the_honest_generators_see_the_long_tail_only(digits: Workspace) -> None:
    other = digits.root
    digits.db.close()
    answer = run(other, "long-tail", "--seeds", "1", "--option", "generator_data=view")
    result = read(Path(str(answer["report"])).with_name("result.json"))
    seen = {row.arm: row.generator_data for row in result.rows}
    assert seen["truck"] == seen["unconditional"] == "view"
    assert seen["lt"] == "none"
    workspace = Workspace.open(other)
    made = [each for each in images_of(workspace, "long-tail-smoke-truck") if each.origin == "synthetic"]
    drawn = generations.of_images(workspace.db, [each.image_id for each in made])
    assert all(each.generator.endswith("long-tail-smoke-ddpm") for each in drawn.values())


@pytest.mark.long
def test_the_imbalance_table_has_the_papers_seven_sets_and_goes_on(root: Path) -> None:
    answer = run(root, "imbalance-table", "--seeds", "1")
    workspace = Workspace.open(root)
    full = views.counts(workspace.db, views.by_name(workspace.db, "imbalance-table-smoke-full").id)
    kept = max(1, round(0.01 * full["8"]))
    missing = full["8"] - kept
    rows = {row["arm"]: row for row in answer["table"]}  # type: ignore[attr-defined]
    for name in ("augmented", "gan", "random", "acquired", "full"):
        assert rows[name]["images"] == sum(full.values()), name
    assert rows["imbalanced"]["images"] == sum(full.values()) - missing
    assert rows["oversampled"]["images"] == rows["imbalanced"]["images"] - kept + max(full.values())

    # The same images, used in other ways.
    result = read(Path(str(answer["report"])).with_name("result.json"))
    views_of = {row.arm: row.view for row in result.rows}
    for name, others in (
        ("imbalanced", ("imbalanced-head-refitted",)),
        ("random", ("random-real-last", "random-head-refitted")),
    ):
        assert {rows[each]["images"] for each in others} == {rows[name]["images"]}
        assert {views_of[each] for each in others} == {views_of[name]}
    used = {run.arm: run.metrics["recipe"]["synthetic"] for run in result.runs}
    assert (used["random"], used["random-real-last"]) == ("mixed", "first")
    assert used["random-head-refitted"] == used["imbalanced-head-refitted"] == "body"
    assert "random-head-refitted-against-imbalanced-head-refitted" in {row.arm for row in result.contrasts}

    def added(name: str) -> list[views.ViewImage]:
        return [
            each
            for each in images_of(workspace, f"imbalance-table-smoke-{name}")
            if each.origin == "synthetic"
        ]

    pool = {each.image_id for each in added("acquired")}
    assert len(pool) == missing
    for name, generator in (("augmented", "augmentation"), ("random", "digits"), ("acquired", "digits")):
        chosen = added(name)
        assert {each.class_index for each in chosen} == {8}
        made = generations.of_images(workspace.db, [each.image_id for each in chosen])
        assert {each.generator for each in made.values()} == {generator}
    # Run again, nothing is trained again: the same runs make the same table.
    before = read(Path(str(answer["report"])).with_name("result.json"))
    drawn = [job.id for job in jobs.latest(workspace.db)]
    run(root, "imbalance-table", "--seeds", "1")
    after = read(Path(str(answer["report"])).with_name("result.json"))
    assert after.rows == before.rows
    assert [job.id for job in jobs.latest(workspace.db)] == drawn
    assert {row.published.get("accuracy") for row in after.rows} > {0.8569, 0.9081}


def test_bad_input_is_refused_with_what_to_do(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from synthaug.cli import main

    for arguments, said in (
        (["imbalance-table", "--scale", "cpu", "--workspace", str(tmp_path / "none")], "--data SRC"),
        (["long-tail", "--workspace", str(root), "--option", "generator_data=some"], "generator_data"),
        (["replacement", "--workspace", str(root), "--option", "epochs=many"], "not a number"),
        (["replacement", "--workspace", str(root), "--option", "colour=red"], "colour"),
        (["replacement"], "--workspace DIR"),
    ):
        with pytest.raises(SystemExit) as stopped:
            main(["experiment", *arguments])
        assert stopped.value.code == 2
        assert said in capsys.readouterr().err


def test_every_experiment_of_the_contract_has_a_command() -> None:
    assert set(EXPERIMENTS) == {
        "imbalance-table",
        "long-tail",
        "replacement",
        "rare-class",
        "cat-cnn",
        "context",
        "hip",
    }
