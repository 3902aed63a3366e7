"""The demo without a browser, as ``make demo ARGS=--headless`` runs it, with fewer seeds."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from synthaug.cli import main
from synthaug.stages import compare, demo, demo_cats
from synthaug.store import catalog, jobs, labels, models, views
from synthaug.workspace import Workspace

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The demo's workspace, made once."""
    root = tmp_path_factory.mktemp("demo") / "work"
    with pytest.raises(SystemExit) as exit_:
        main(["demo", "--only", "digits", "--headless", "--seeds", "3", "--workspace", str(root)])
    assert not exit_.value.code
    return Workspace.open(root)


def test_one_class_is_scarce_and_synthetic_images_fill_it(filled: Workspace) -> None:
    found = compare.all_comparisons(filled)
    assert [each.baseline.view for each in found] == ["imbalanced", "imbalanced-oversampled"]
    assert found[0].baseline.counts[demo.SCARCE] == demo.KEPT
    confirmed = labels.labeled_images(filled.db, split="train", origin="synthetic")
    assert {image.class_index for image in confirmed} == {8}
    given = labels.current(filled.db, [image.image_id for image in confirmed])
    assert {each.source for each in given.values()} == {"automatic"}
    assert found[0].augmented.counts[demo.SCARCE] == demo.KEPT + len(confirmed)


def test_both_sides_are_tested_on_the_same_real_images(filled: Workspace) -> None:
    main_, control = compare.all_comparisons(filled)
    assert main_.test_fingerprint == control.test_fingerprint
    assert main_.test_images == len(catalog.find_images(filled.db, split="test", origin="real")) == 500


def test_an_independent_reader_finds_the_export(filled: Workspace) -> None:
    (row,) = views.all_exports(filled.db)
    labels_found: list[int] = []
    for path in sorted(Path(row.path).glob("*_batch*")):
        batch = pickle.loads(path.read_bytes(), encoding="latin1")
        assert np.asarray(batch["data"]).shape == (len(batch["labels"]), 3072)
        labels_found += batch["labels"]
    view = views.by_name(filled.db, row.view)
    counts = list(views.counts(filled.db, view.id).values())
    tested = [each for _, each in catalog.hashes_of_split(filled.db, "test")]
    assert np.array_equal(np.bincount(labels_found), np.array(counts) + np.bincount(tested))


def test_run_again_it_repeats_nothing(filled: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    before = (
        catalog.count_images(filled.db),
        len(jobs.latest(filled.db)),
        len(compare.all_comparisons(filled)),
    )
    with pytest.raises(SystemExit):
        main(
            [
                "demo",
                "--only",
                "digits",
                "--headless",
                "--seeds",
                "3",
                "--workspace",
                str(filled.root),
                "--json",
            ]
        )
    shown = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert shown["verdict"] == compare.all_comparisons(filled)[0].verdict
    after = catalog.count_images(filled.db), len(jobs.latest(filled.db)), len(compare.all_comparisons(filled))
    assert after == before


def test_another_workspace_is_not_touched(workspace: Workspace, tmp_path: Path) -> None:
    Workspace.create(tmp_path / "cats", ["cat"]).db.close()
    with pytest.raises(SystemExit) as exit_:
        main(["demo", "--headless", "--workspace", str(tmp_path / "cats")])
    assert exit_.value.code == 2
    assert catalog.count_images(Workspace.open(tmp_path / "cats").db) == 0


def test_the_cats_are_drawn_named_confirmed_and_exported_offline(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for _ in range(2):  # the second time everything is there
        with pytest.raises(SystemExit) as exit_:
            main(["demo", "--only", "cats", "--headless", "--workspace", str(tmp_path / "demo"), "--json"])
        assert not exit_.value.code
    shown = json.loads(capsys.readouterr().out.splitlines()[-1])
    cats = Workspace.open(Path(shown["cats"]))
    made = catalog.find_images(cats.db, origin="synthetic")
    assert len(made) == shown["cats_generated"] == demo_cats.SYNTHETIC
    assert [model.name for model in models.all_models(cats.db)] == [demo_cats.LABELER]
    assert len(models.scored_images(cats.db)) == len(made)
    confirmed = labels.labeled_images(cats.db, split="train", origin="synthetic")
    assert 0 < len(confirmed) == shown["cats_confirmed"] < len(made)
    assert {cats.classes[image.class_index] for image in confirmed} == {"cat"}
    (row,) = views.all_exports(cats.db)
    batches = sorted(Path(row.path).glob("data_batch*"))
    named = [
        label for path in batches for label in pickle.loads(path.read_bytes(), encoding="latin1")["labels"]
    ]
    assert named == [3] * len(confirmed)
