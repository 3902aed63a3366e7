"""Correcting the landmarks of frozen test images from a file: with a reason, and nothing else with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from synthaug.cli import cli, landmarks  # noqa: F401 - registers the commands
from synthaug.errors import UserError
from synthaug.stages.landmark_correction import correct_from_file
from synthaug.stages.landmark_files import export_landmarks, import_landmarks
from synthaug.store import labels
from synthaug.store.label_chain import verify_chain
from synthaug.store.landmarks import current
from synthaug.workspace import Workspace
from tests.landmarks.made import PLACES, SMALL, add_film, hip_workspace, place

BIG = 1 - SMALL
WIDE = PLACES | {"right_rim": (320.0, 180.0)}  # 135 degrees at the right head, 126.87 at the left: Big


@pytest.fixture
def hips(tmp_path: Path) -> tuple[Workspace, int, int, int]:
    """A workspace, its two test films with landmarks and a training film with landmarks."""
    workspace = hip_workspace(tmp_path / "work")
    first, second = (add_film(workspace, level, "test") for level in (10, 20))
    train = add_film(workspace, 30)
    for image_id in (first, second, train):
        place(workspace, image_id, f"op-{image_id}")
    return workspace, first, second, train


def table(workspace: Workspace, path: Path, changed: dict[int, dict[str, tuple[float, ...]]]) -> Path:
    """The exported table, in COCO's form, with the landmarks of some images replaced."""
    other = hip_workspace(path.parent / "other")
    for level, split in ((10, "test"), (20, "test"), (30, "train")):
        add_film(other, level, split)  # type: ignore[arg-type]
    for image_id in (1, 2, 3):
        place(other, image_id, f"op-{image_id}", changed.get(image_id))
    export_landmarks(other, path)
    return path


def points(workspace: Workspace, image_id: int) -> Any:
    return current(workspace.db, [image_id])[image_id].landmarks.points


@pytest.mark.parametrize("name", ["new.json", "new.csv"])
def test_a_file_corrects_the_test_images_that_differ_and_no_others(
    hips: tuple[Workspace, int, int, int], tmp_path: Path, name: str
) -> None:
    workspace, first, second, train = hips
    path = table(workspace, tmp_path / name, {first: WIDE, train: WIDE})
    refused = import_landmarks(workspace, path, "bob")
    assert [key for key, reason in refused.skipped if "an owner can correct it" in reason] != []
    assert points(workspace, first) == PLACES
    place(workspace, train, "again")
    found = correct_from_file(workspace, path, "bob", " the rim was missed ")
    assert (found.rows.recorded, found.rows.unchanged) == (1, 1)
    ((_, why),) = found.rows.skipped
    assert "synthaug landmarks import" in why
    assert [points(workspace, each) for each in (first, second, train)] == [WIDE, PLACES, PLACES]
    last = labels.history(workspace.db, first)[-1]
    assert (last.annotator, last.reason, last.class_index) == ("bob", "the rim was missed", BIG)
    assert len(labels.history(workspace.db, second)) == 1
    assert found.before != found.after  # a class changed
    assert verify_chain(workspace.db) == []
    again = correct_from_file(workspace, path, "cat", "the same")
    assert (again.rows.recorded, again.rows.unchanged) == (0, 2)


def test_a_correction_needs_a_reason_and_points(
    hips: tuple[Workspace, int, int, int], tmp_path: Path
) -> None:
    workspace, first, *_ = hips
    angles = tmp_path / "angles.csv"
    angles.write_text(f"image,left_degrees,right_degrees\n{first},110,112\n")
    with pytest.raises(UserError, match="needs a reason"):
        correct_from_file(workspace, angles, "ann", " ")
    (skipped,) = correct_from_file(workspace, angles, "ann", "measured again").rows.skipped
    assert skipped == (str(first), "a correction needs the landmarks, not the angles alone")
    assert points(workspace, first) == PLACES


def test_the_command_says_what_changed(hips: tuple[Workspace, int, int, int], tmp_path: Path) -> None:
    workspace, first, *_ = hips
    path = table(workspace, tmp_path / "new.csv", {first: WIDE})
    command = ["landmarks", "correct", str(path), "--annotator", "ann", "--workspace", str(workspace.root)]
    assert CliRunner().invoke(cli, command).exit_code == 2  # no reason
    shown = CliRunner().invoke(cli, [*command, "--reason", "misplaced", "--json"])
    assert shown.exit_code == 0, shown.output
    result = json.loads(shown.stdout.splitlines()[-1])
    assert (result["recorded"], result["unchanged"], len(result["skipped"])) == (1, 1, 1)
    assert result["fingerprint"] != result["fingerprint_before"]
    assert labels.history(workspace.db, first)[-1].reason == "misplaced"
