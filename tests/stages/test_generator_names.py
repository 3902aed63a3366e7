"""A generator made in a workspace goes by its name, in every place that takes one."""

from __future__ import annotations

import json
import shutil
from importlib import resources
from pathlib import Path

import pytest

from synthaug.errors import UnknownName, UserError
from synthaug.reading.generator_choice import choice, choices
from synthaug.running.jobs import run_to_end
from synthaug.stages.finetune import list_finetuned
from synthaug.stages.finetune import submit as submit_finetune
from synthaug.stages.generate import preview, submit
from synthaug.stages.generation_spec import GenerationSpec
from synthaug.stages.generator_names import known_names, locate, made_here, name_of, remember
from synthaug.stages.handlers import HANDLERS
from synthaug.stages.view import ViewSpec, make_view
from synthaug.store import generations
from synthaug.workspace import Workspace

MODEL = Path(str(resources.files("synthaug_assets"))) / "models" / "digits"


@pytest.fixture
def named(digits: Workspace) -> Workspace:
    """Digits with a generator "xr", as fine-tuning leaves one behind."""
    folder = digits.root / "models" / "finetuned" / "xr"
    shutil.copytree(MODEL, folder)
    record = {
        "base": "digits",
        "method": "lora",
        "images": 8,
        "steps": 4,
        "created_at": "2026-01-01T00:00:00Z",
    }
    (folder / "finetuning.json").write_text(json.dumps(record), encoding="utf-8")
    return digits


def spec(generator: str, count: int = 2) -> GenerationSpec:
    return GenerationSpec("a handwritten digit eight", "8", count, generator=generator, steps=2)


def test_a_generator_draws_by_name_and_its_images_record_it(named: Workspace) -> None:
    job = run_to_end(named, submit(named, spec("xr")), HANDLERS)
    assert job.state == "done"
    (image, _) = generations.images_of_job(named.db, job.id)
    said = generations.of_images(named.db, [1798])[1798]
    assert said.generator == "xr"
    assert json.loads(_text(named, image)["synthaug"])["generator"] == "xr"
    assert next(preview(named, spec("xr", 1)))


def test_a_job_goes_on_in_a_copy_of_the_workspace(named: Workspace, tmp_path: Path) -> None:
    job = submit(named, spec("xr"))
    named.db.close()
    moved = tmp_path / "elsewhere"
    shutil.move(named.root, moved)
    assert run_to_end(Workspace.open(moved), job, HANDLERS).state == "done"


def test_a_generator_is_found_by_its_folder_as_well(named: Workspace) -> None:
    folder = str(made_here(named)["xr"])
    assert locate(named, "xr") == folder
    assert name_of(named, folder) == "xr"
    assert choice(named, folder) == choice(named, "xr")
    assert [each.name for each in choices(named)][-1] == "xr"


def test_a_name_that_is_none_lists_those_there_are(named: Workspace) -> None:
    for ask in (
        lambda: submit(named, spec("rx")),
        lambda: choice(named, "rx"),
        lambda: _finetune(named, "rx"),
    ):
        with pytest.raises(UnknownName, match=r"no generator called 'rx'; available: .*'digits'.*'xr'"):
            ask()


def test_a_trained_generator_can_be_fine_tuned_and_shipped_names_are_reserved(named: Workspace) -> None:
    assert _finetune(named, "xr") > 0
    with pytest.raises(UserError, match="comes with the package"):
        _finetune(named, "xr", name="embedded")


def test_a_generator_in_another_folder_is_found_while_it_exists(named: Workspace, tmp_path: Path) -> None:
    shutil.copytree(MODEL, tmp_path / "mine")
    assert remember(named, tmp_path / "mine") == "mine"
    assert known_names(named) == ["embedded", "digits", "augmentation", "mine", "xr"]
    assert choice(named, "mine").kind == "trained"
    shutil.rmtree(tmp_path / "mine")
    with pytest.raises(UnknownName):
        locate(named, "mine")
    assert [each.name for each in list_finetuned(named)] == ["xr"]


def _finetune(workspace: Workspace, base: str, name: str | None = None) -> int:
    make_view(workspace, f"view-{base}-{name}", ViewSpec(keep=dict.fromkeys(workspace.classes, 1)))
    return submit_finetune(workspace, f"view-{base}-{name}", base=base, name=name, caption="a digit")


def _text(workspace: Workspace, sha256: str) -> dict[str, str]:
    from PIL import Image

    with Image.open(workspace.images.path(sha256)) as image:
        image.load()
        return dict(image.text)  # type: ignore[attr-defined]
