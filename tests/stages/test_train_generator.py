"""Generators trained on a view: what they saw, what their cards say, and a kill at any step."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synthaug.cli import main
from synthaug.errors import UnknownName, UserError, WorkspaceError
from synthaug.generators import load_generator
from synthaug.generators.base import ModelCard
from synthaug.progress import StepProgress
from synthaug.records import GenerationRequest
from synthaug.running.jobs import run_to_end
from synthaug.stages import generate
from synthaug.stages.generation_spec import GenerationSpec
from synthaug.stages.handlers import HANDLERS
from synthaug.stages.train_generator import train_on_view
from synthaug.stages.view import ViewSpec, make_view
from synthaug.store import catalog, generations, labels
from synthaug.workspace import Workspace

pytestmark = pytest.mark.slow

FAMILIES = ("ddpm", "gan")


class Killed(Exception):
    """Stands for the end of the process."""


@pytest.fixture
def viewed(digits: Workspace) -> Workspace:
    """A view "few" of 6 images each of the classes 1, 5 and 8."""
    kept = {name: 6 if name in ("1", "5", "8") else 0 for name in digits.classes}
    make_view(digits, "few", ViewSpec(keep=kept))
    return digits


def quiet(phase: str, done: int, total: int, loss: float) -> None:
    """No progress."""


def train(
    workspace: Workspace, output: Path, family: Any, progress: StepProgress = quiet, **options: Any
) -> dict[str, Any]:
    settings = {"size": "tiny", "steps": 3, **options}
    checkpoints = output.with_name(output.name + ".ck")
    return train_on_view(workspace, output, checkpoints, family, "few", progress=progress, **settings)


def weights(folder: Path) -> list[bytes]:
    found = [each.read_bytes() for each in sorted(folder.rglob("*.safetensors"))]
    assert found
    return found


def test_a_ddpm_knows_the_classes_that_the_view_shows(viewed: Workspace, tmp_path: Path) -> None:
    figures = train(viewed, tmp_path / "m", "ddpm")
    assert figures["images"] == 18
    assert figures["output"] == str(tmp_path / "m")
    card = ModelCard.read(tmp_path / "m")
    assert (card.name, card.family, card.classes) == ("m", "ddpm", ("1", "5", "8"))
    generator = load_generator(tmp_path / "m", num_inference_steps=2, device="cpu")
    (image,) = generator.generate([GenerationRequest("a handwritten 8", 0)])
    assert image.pixels.shape == (32, 32, 3)
    with pytest.raises(UserError, match="it understands 1, 5, 8"):
        generator.generate([GenerationRequest("a handwritten 3", 0)])


def test_a_single_class_has_the_label_zero(viewed: Workspace, tmp_path: Path) -> None:
    """The class "5" is learned from the images of a 5: its embedding moves as they come, others stay."""
    from synthaug.stages.train_generator import _images

    images, classes, names = _images(viewed, "few", None, 32)
    alone, zeros, name = _images(viewed, "few", "5", 32)
    assert names == ("1", "5", "8")
    assert name == ("5",)
    assert np.array_equal(images[classes == 1], alone)
    assert zeros.tolist() == [0] * 6


@pytest.mark.parametrize(
    ("family", "options", "classes"),
    [
        ("ddpm", {"classes": False}, ()),
        ("ddpm", {"label": "8"}, ("8",)),
        ("ddpm", {"label": "8", "classes": False}, ()),
        ("gan", {}, ()),
        ("gan", {"label": "8"}, ("8",)),
    ],
)
def test_prompts_must_name_the_requested_class(
    viewed: Workspace, tmp_path: Path, family: str, options: dict[str, Any], classes: tuple[str, ...]
) -> None:
    figures = train(viewed, tmp_path / "m", family, steps=1, **options)
    assert figures["images"] == (6 if "label" in options else 18)
    assert load_generator(tmp_path / "m", device="cpu").describe().classes == classes


@pytest.mark.long
@pytest.mark.parametrize("family", FAMILIES)
def test_a_killed_training_goes_on_and_says_so(viewed: Workspace, tmp_path: Path, family: str) -> None:
    def kill(phase: str, done: int, total: int, loss: float) -> None:
        if done == 2:
            raise Killed

    whole = train(viewed, tmp_path / "whole", family)
    with pytest.raises(Killed):
        train(viewed, tmp_path / "m", family, kill)
    assert not (tmp_path / "m").exists()
    train(viewed, tmp_path / "m", family)
    assert weights(tmp_path / "m") == weights(tmp_path / "whole")
    said = ModelCard.read(tmp_path / "whole").trained_on
    length = "3 steps of 64 images in" if family == "ddpm" else "3 epochs in"
    assert f"18 images of the view 'few' of the workspace {viewed.name!r}: {length} " in said
    assert f"in {whole['seconds']:.0f} s, on " in said
    assert {each.name for each in tmp_path.iterdir()} >= {"m", "m.ck"}
    assert not list(tmp_path.glob(".*.partial"))


@pytest.mark.long
@pytest.mark.parametrize("family", FAMILIES)
def test_more_steps_go_on_from_where_fewer_ended(viewed: Workspace, tmp_path: Path, family: str) -> None:
    train(viewed, tmp_path / "whole", family)
    train(viewed, tmp_path / "m", family, steps=2)
    (tmp_path / "m").rename(tmp_path / "early")
    train(viewed, tmp_path / "m", family)
    assert weights(tmp_path / "m") == weights(tmp_path / "whole") != weights(tmp_path / "early")
    assert "the last 1 of them in" in ModelCard.read(tmp_path / "m").trained_on
    (tmp_path / "m").rename(tmp_path / "before")
    train(viewed, tmp_path / "m", family)
    said = ModelCard.read(tmp_path / "m").trained_on
    assert " in " not in said.partition(": ")[2]  # nothing was left to do, so there is no time to tell


COMMAND = """
import os, signal, sys
from synthaug.cli import main
from synthaug.generator_training import fitting
from synthaug.generator_training import gan as gan_training
from synthaug.stages.generation_spec import GenerationSpec
from synthaug.stages import train_generator

passed_on = train_generator._StartingStep.__call__

def killed(self, phase, done, total, loss):
    passed_on(self, phase, done, total, loss)
    if done == 2:
        os.kill(os.getpid(), signal.SIGKILL)

train_generator._StartingStep.__call__ = killed
main(sys.argv[1:])
"""


@pytest.mark.long
@pytest.mark.parametrize("family", FAMILIES)
def test_a_sigkill_and_the_same_command_again(
    viewed: Workspace, tmp_path: Path, family: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def command(output: Path) -> list[str]:
        return [
            *("train-generator", str(output), "--family", family, "--view", "few", "--size", "tiny"),
            *("--steps", "3", "--class", "8", "--json", "-w", str(viewed.root)),
        ]

    viewed.db.close()
    died = subprocess.run(
        [sys.executable, "-c", COMMAND, *command(tmp_path / "m")], capture_output=True, check=False
    )
    assert died.returncode == -signal.SIGKILL
    assert not (tmp_path / "m").exists()
    for output in ("m", "whole"):
        with pytest.raises(SystemExit) as ended:
            main(command(tmp_path / output))
        assert ended.value.code == 0
        assert json.loads(capsys.readouterr().out.splitlines()[-1])["model"] == str(tmp_path / output)
    assert weights(tmp_path / "m") == weights(tmp_path / "whole")


def test_images_of_an_unconditional_model_have_no_class_until_they_are_labeled(
    viewed: Workspace, tmp_path: Path
) -> None:
    train(viewed, tmp_path / "m", "ddpm", classes=False)
    job = generate.submit(viewed, GenerationSpec("anything", None, 3, generator=str(tmp_path / "m"), steps=2))
    assert run_to_end(viewed, job, HANDLERS).state == "done"
    ids = [image.id for image in catalog.find_images(viewed.db, origin="synthetic")]
    made = generations.of_images(viewed.db, ids)
    assert [made[each].class_index for each in ids] == [None] * 3
    assert not labels.current(viewed.db, ids)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"size": "huge"}, UnknownName, "no size called 'huge'"),
        ({"label": "3"}, UserError, "has no images of the class '3'"),
        ({"label": "cat"}, UnknownName, "no class called 'cat'"),
        ({"steps": 0}, UserError, "steps is 0; it must be at least 1"),
    ],
)
def test_invalid_trainings_are_refused(
    viewed: Workspace, tmp_path: Path, options: dict[str, Any], error: type[UserError], message: str
) -> None:
    with pytest.raises(error, match=message):
        train(viewed, tmp_path / "m", "ddpm", **options)
    assert not (tmp_path / "m").exists()


def test_a_taken_folder_is_left_alone(viewed: Workspace, tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "thesis.txt").write_text("mine")
    with pytest.raises(UserError, match="is not empty; choose a new folder"):
        train(viewed, tmp_path / "m", "gan")
    assert [each.name for each in (tmp_path / "m").iterdir()] == ["thesis.txt"]


def test_a_place_that_cannot_hold_a_folder_is_said(viewed: Workspace, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    checkpoints = tmp_path / "ck"
    with pytest.raises(WorkspaceError, match=r"cannot write .*file/m: that name is already taken"):
        train_on_view(
            viewed, tmp_path / "file" / "m", checkpoints, "gan", "few", size="tiny", steps=1, progress=quiet
        )
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--view", "few"], "are for --family ddpm or gan"),
        (["--flip"], "are for --family ddpm or gan"),
        (["--family", "gan"], "give one with --view"),
        (["--family", "gan", "--view", "none"], "no view called 'none'"),
        (["--family", "gan", "--view", "few", "--flip"], "flip applies to a DDPM only"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    viewed: Workspace, tmp_path: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["train-generator", str(tmp_path / "m"), *arguments, "-w", str(viewed.root)])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
