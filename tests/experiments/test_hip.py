"""The hip experiment at scale smoke: carried out once, resumed, on phantoms and on a user's own folder."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synthaug.config import HIP
from synthaug.errors import UnknownName, UserError
from synthaug.experiments import load_experiment
from synthaug.experiments.base import Result
from synthaug.experiments.execute import carry_out
from synthaug.experiments.hip.angles import read_corrections
from synthaug.experiments.hip.experiment import Hip, drawn_angles
from synthaug.experiments.hip.readers import MAE, PEARSON, SPEARMAN, STAND_IN
from synthaug.experiments.lab import Lab
from synthaug.importers.hip.angles import hip_caption, hip_class
from synthaug.importers.hip.phantom import TEST, TRAIN, hip_phantom
from synthaug.records import LabelEntry
from synthaug.stages.label import record
from synthaug.store import catalog, generations, jobs, labels, views
from synthaug.workspace import Workspace

ARMS = ["real", "prompted", "predicted", "corrected"]


def carried_out(workspace: Workspace, data: str | None = None, **options: object) -> tuple[Result, list[str]]:
    """The result, and what was said on the way."""
    said: list[str] = []
    lab = Lab(workspace, lambda done, total, note: None, said.append)
    return carry_out(load_experiment("hip", "smoke", data, **options), lab, "smoke"), said


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Result]:
    workspace = Workspace.create(tmp_path_factory.mktemp("hip") / "w", (), "hip")
    return workspace, carried_out(workspace)[0]


@pytest.mark.long
def test_every_arm_is_measured_in_classes_and_degrees(finished: tuple[Workspace, Result]) -> None:
    _, result = finished
    assert [row.arm for row in result.rows] == ARMS
    assert [row.images for row in result.rows] == [48, 72, 72, 72]
    assert {row.generator_data for row in result.rows[:1]} == {"none"}
    assert {row.generator_data for row in result.rows[1:]} == {"view"}
    for row in result.rows:
        assert len(row.accuracies) == 3
        assert np.sum(row.confusion) == 3 * 24
        assert set(row.measures) >= {MAE, PEARSON, SPEARMAN}
        assert all(0 < each < 90 for each in row.measures[MAE])
    assert result.rows[0].measures[MAE] != result.rows[2].measures[MAE]


def test_the_measures_are_those_of_the_predicted_angles(finished: tuple[Workspace, Result]) -> None:
    from scipy.stats import pearsonr, spearmanr

    workspace, result = finished
    phantoms = {
        workspace.images.put(phantom.pixels, {}): phantom
        for phantom in (hip_phantom((0, TEST, i), 32) for i in range(24))
    }
    order = [phantoms[sha256] for sha256, _ in catalog.hashes_of_split(workspace.db, "test")]
    truth = np.array([[each.left_angle, each.right_angle] for each in order])
    named = [hip_class(*angles) for angles in truth]
    for run in result.runs[:4]:
        predicted = np.array(run.metrics["predicted angles"])
        right = [hip_class(*angles) == name for angles, name in zip(predicted, named, strict=True)]
        assert run.metrics["accuracy"] == pytest.approx(np.mean(right))
        assert run.metrics[MAE] == pytest.approx(np.abs(predicted - truth).mean(), abs=1e-3)
        assert run.metrics[PEARSON] == pytest.approx(pearsonr(predicted.ravel(), truth.ravel())[0], abs=1e-3)
        assert run.metrics[SPEARMAN] == pytest.approx(
            spearmanr(predicted.ravel(), truth.ravel())[0], abs=0.01
        )


def test_images_are_asked_for_by_angle_and_corrected_by_the_stand_in(
    finished: tuple[Workspace, Result],
) -> None:
    workspace, result = finished
    images = catalog.find_images(workspace.db, origin="synthetic")
    made = generations.of_images(workspace.db, [image.id for image in images])
    assert len(made) == 24
    assert all(each.prompt.startswith("hip x-ray left angle ") for each in made.values())
    said = labels.current(workspace.db, list(made))
    assert {label.annotator for label in said.values()} == {STAND_IN}
    view = views.by_name(workspace.db, result.rows[-1].view)
    members = {member.image_id: member.class_index for member in views.members(workspace.db, view.id)}
    assert all(members[image_id] == label.class_index for image_id, label in said.items())


def test_no_test_image_is_trained_on_and_the_notes_describe_the_test_set(
    finished: tuple[Workspace, Result],
) -> None:
    workspace, result = finished
    test = {image.id for image in catalog.find_images(workspace.db, split="test")}
    for row in result.rows:
        members = views.members(workspace.db, views.by_name(workspace.db, row.view).id)
        assert not test & {member.image_id for member in members}
    notes = " ".join(result.notes)
    for word in ("PHANTOM", STAND_IN, "consists of generated images only", "are meaningless"):
        assert word in notes
    scatter, table = result.panels
    assert scatter.figure is not None
    assert len(scatter.figure["data"]) == 1 + len(ARMS)
    assert [row[0] for row in table.rows] == [
        "prompted and predicted",
        "prompted and corrected",
        "predicted and corrected",
    ]


def test_a_second_time_nothing_is_done_again(finished: tuple[Workspace, Result]) -> None:
    workspace, result = finished
    jobs_before = [job.id for job in jobs.latest(workspace.db)]
    again, said = carried_out(workspace)
    assert [job.id for job in jobs.latest(workspace.db)] == jobs_before
    assert [run.id for run in again.runs] == [run.id for run in result.runs]
    assert not any("run 1 of" in each for each in said)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder: train/ and test/, each with images and a metadata.csv without classes."""
    root = tmp_path_factory.mktemp("mine") / "hips"
    for split, stream, count in (("train", TRAIN, 16), ("test", TEST, 8)):
        (root / split).mkdir(parents=True)
        with (root / split / "metadata.csv").open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(["file_name", "text"])
            for i in range(count):
                phantom = hip_phantom((5, stream, i), 32)
                Image.fromarray(phantom.pixels).save(root / split / f"{i}.png")
                table.writerow([f"{i}.png", f"hips, {phantom.caption.partition('with ')[2]}"])
    return root


QUICK = {"generated": 8, "steps": 1, "drawing_steps": 1, "epochs": 1, "seeds": 1}


def test_a_users_folder_waits_for_a_person_and_goes_on_with_the_corrections(
    folder: Path, tmp_path: Path
) -> None:
    workspace = Workspace.create(tmp_path / "w", (), "hip")
    with pytest.raises(UserError, match="8 generated images need a person") as waits:
        carried_out(workspace, str(folder), **QUICK)
    table = workspace.root / "runs" / "hip-smoke-predicted.csv"
    assert str(table) in str(waits.value)
    made = catalog.find_images(workspace.db, origin="synthetic")
    prompts = generations.of_images(workspace.db, [image.id for image in made])
    assert all(each.prompt.startswith("hips, left angle ") for each in prompts.values())
    predicted = read_corrections(table, {image.sha256: None for image in made})
    assert len(predicted) == 8
    # One image is confirmed, one rejected by hand; the rest stays unread.
    sure, bad = made[0], made[1]
    position = HIP.index(hip_class(*predicted[sure.sha256]))
    record(workspace, [LabelEntry(sure.id, "class", "vet", "human", "a", position)])
    record(workspace, [LabelEntry(bad.id, "reject", "vet", "human", "b")])
    result, _ = carried_out(workspace, str(folder), **QUICK)
    assert [row.images for row in result.rows] == [16, 24, 24, 17]
    assert "PHANTOM" not in " ".join(result.notes)
    # Then a table of corrected angles: another view, and both count.
    corrected = tmp_path / "corrected.csv"
    corrected.write_text(f"image,left,right\n{made[2].sha256},100,91.5\n")
    result, _ = carried_out(workspace, str(folder), corrections=str(corrected), **QUICK)
    assert result.rows[-1].images == 18
    assert labels.current(workspace.db, [made[2].id])[made[2].id].class_index == HIP.index("Small")
    corrected.write_text(f"image,left,right\n{made[2].sha256},wide,91.5\n")
    with pytest.raises(UserError, match=r"line 2: the angles .*wide"):
        carried_out(workspace, str(folder), corrections=str(corrected), **QUICK)


def test_captions_without_angles_and_a_missing_test_set_are_refused(folder: Path, tmp_path: Path) -> None:
    import shutil

    mine = tmp_path / "mine"
    shutil.copytree(folder, mine)
    (mine / "test" / "metadata.csv").write_text("file_name,text\n0.png,a dog\n")
    with pytest.raises(UserError, match="8 of 8 captions of the test images contain no angles"):
        carried_out(Workspace.create(tmp_path / "a", (), "hip"), str(mine))
    with pytest.raises(UserError, match="no real test images"):
        carried_out(Workspace.create(tmp_path / "b", (), "hip"), str(mine / "train"))


def test_angles_are_drawn_as_the_training_set_has_them() -> None:
    rng = np.random.default_rng(1)
    left = rng.normal(105, 6, 400)
    real = {str(i): (a, b) for i, (a, b) in enumerate(zip(left, left + rng.normal(0, 3, 400), strict=True))}
    pairs = np.array(drawn_angles(real, 2000))
    known = np.array(list(real.values()))
    assert pairs.mean(axis=0) == pytest.approx(known.mean(axis=0), abs=0.6)
    assert np.corrcoef(pairs.T)[0, 1] == pytest.approx(np.corrcoef(known.T)[0, 1], abs=0.05)
    assert (pairs >= known.min(axis=0) - 0.01).all()
    assert (pairs <= known.max(axis=0) + 0.01).all()


def test_options_are_read_as_the_fields_they_name() -> None:
    chosen = Hip("cpu", threshold="100", generated="12", guidance="3.5", method="lora").settings
    assert (chosen.threshold, chosen.generated, chosen.guidance, chosen.method) == (100.0, 12, 3.5, "lora")
    assert replace(chosen, epochs=2).trained_with.epochs == 2
    with pytest.raises(UnknownName, match="colour"):
        Hip("smoke", colour="red")
    with pytest.raises(UserError, match="many"):
        Hip("smoke", generated="many")


def test_the_default_wording_is_the_documents() -> None:
    phantom = hip_phantom(0, 32, 112.03, 91.09)
    assert phantom.caption == hip_caption(112.03, 91.09)
