"""A session on real digits: each call does what the stage does, and errors say what to do."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import synthaug
from synthaug import ExecutorSpec, GenerationSpec, UserError, ViewSpec
from synthaug.errors import WorkspaceError
from synthaug.store import catalog, labels, models
from synthaug.workspace import Workspace

SPEC = GenerationSpec("a {bold|thin} eight", "8", 3, generator="digits", steps=1, seed=4)


def test_a_workspace_is_made_and_opened_again(tmp_path: Path) -> None:
    made = synthaug.create(tmp_path / "pets", classes=["cat", "dog"])
    assert made.classes == ("cat", "dog")
    assert synthaug.open(str(tmp_path / "pets")).classes == ("cat", "dog")
    assert "2 classes" in repr(made)
    with pytest.raises(WorkspaceError, match="is already a workspace"):
        synthaug.create(tmp_path / "pets", preset="digits")
    with pytest.raises(WorkspaceError, match="no workspace at"):
        synthaug.open(tmp_path / "nowhere")


def test_generated_images_are_those_of_the_preview(workspace: Workspace) -> None:
    work = synthaug.Session(workspace)
    previewed = work.preview(SPEC)
    assert len(previewed.images) == len(previewed.prompts) == 8
    generated = work.generate(SPEC)
    assert (generated.label, len(generated.images)) == ("8", 3)
    assert generated.prompts == previewed.prompts[:3]
    for sha256, thumbnail, expected in zip(
        generated.images, generated.thumbnails, previewed.images, strict=False
    ):
        assert np.array_equal(thumbnail, expected)
        assert np.array_equal(work.pixels(sha256), expected)


def test_a_job_that_fails_is_an_error(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "empty-folder").mkdir()
    spec = GenerationSpec("x", "8", 1, generator=str(tmp_path / "empty-folder"))
    with pytest.raises(UserError, match=r"ended as failed: .*empty-folder"):
        synthaug.Session(workspace).generate(spec)


def test_labels_are_written_once_and_can_change_back(workspace: Workspace) -> None:
    work = synthaug.Session(workspace)
    first, second, _ = work.generate(SPEC).images
    written = work.label({first: "reject", second: "3"}, annotator="ann")
    assert (written.labels, written.reviewed, written.total) == (2, 2, 3)
    assert work.label({first: "reject", second: "3"}, annotator="ann").labels == 0
    assert work.label({second: "8"}, annotator="ann").labels == 1
    assert work.label({second: "3"}, annotator="ann").labels == 1
    (image,) = [each for each in catalog.find_images(workspace.db) if each.sha256 == second]
    assert labels.current(workspace.db, [image.id])[image.id].class_index == 3
    assert len(labels.history(workspace.db, image.id)) == 3
    for bad, message in (
        ({"f" * 64: "8"}, "no image 'fff"),
        ({first: "9", second: "ten"}, "'ten' is unknown"),
    ):
        with pytest.raises(UserError, match=message):
            work.label(bad, annotator="ann")
    assert labels.current(workspace.db, [image.id])[image.id].class_index == 3


def test_an_unknown_image_is_said(workspace: Workspace) -> None:
    with pytest.raises(UserError, match="there is no image 'ffff"):
        synthaug.Session(workspace).pixels("f" * 64)


@pytest.mark.slow
def test_views_and_models_are_measured_as_the_stages_measure(digits: Workspace, tmp_path: Path) -> None:
    work = synthaug.Session(digits)
    viewed = work.view("few", ViewSpec(fraction=0.1))
    assert sum(viewed.counts.values()) == pytest.approx(130, abs=5)
    assert list(viewed.counts) == list(work.classes)
    trained = work.train("few", epochs=1, name="one")
    recalls = [share for share in trained.per_class.values() if share is not None]
    assert len(recalls) == 10
    assert 0 <= min(recalls) <= trained.accuracy <= max(recalls) <= 1
    assert work.predict().images == work.predict("one").images + 1797
    verdict = work.compare("few", "few", seeds=3, epochs=1)
    assert verdict.baseline == verdict.augmented
    assert (verdict.difference, verdict.test_images) == (0.0, trained.test_images)
    exported = work.export("few", tmp_path / "out")
    assert exported.manifest.is_file()
    assert exported.images == sum(viewed.counts.values()) + trained.test_images


@pytest.mark.long
@pytest.mark.slow
def test_other_processes_do_what_this_one_does(digits: Workspace, tmp_path: Path) -> None:
    work = synthaug.Session(digits)
    work.view("few", ViewSpec(fraction=0.1))
    work.train("few", epochs=1, name="one")
    digits.db.settle()
    apart = synthaug.open(shutil.copytree(digits.root, tmp_path / "apart"))
    others = ExecutorSpec("processes", workers=1)
    spec = GenerationSpec("x", "8", 6, generator="augmentation", start="image", seed=5)
    assert apart.generate(spec, executor=others).images == work.generate(spec).images
    assert apart.predict("one", executor=others).images == work.predict("one").images > 0
    here, there = (models.all_predictions(each.workspace.db, 1) for each in (work, apart))
    assert here[0] == there[0]
    np.testing.assert_array_equal(here[1], there[1])
    seen = {"seeds": 3, "epochs": 1}
    assert apart.compare("few", "few", executor=others, **seen) == work.compare("few", "few", **seen)
    with pytest.raises(UserError, match="no executor called 'threads'"):
        work.generate(spec, executor=ExecutorSpec("threads"))
