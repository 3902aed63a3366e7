"""Fine-tuning jobs: captions from where they are, train images only, resumable, the result a generator."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from synthaug.cli import main
from synthaug.config import DIGIT_WORDS
from synthaug.errors import UnknownName, UserError, ViewError
from synthaug.generators import load_generator
from synthaug.images import pixel_hash
from synthaug.importers.digits import digits_arrays
from synthaug.records import GenerationRequest, Job
from synthaug.running.jobs import run_to_end
from synthaug.stages import finetune
from synthaug.stages.finetune_captions import captioned_images
from synthaug.stages.handlers import HANDLERS
from synthaug.stages.importing import import_images
from synthaug.stages.view import ViewSpec, make_view
from synthaug.store import catalog, jobs, views
from synthaug.workspace import Workspace
from tests.stages.helpers import add_synthetic

pytestmark = pytest.mark.slow

CAPTIONED = 12
SETTINGS: dict[str, Any] = {
    "steps": 4,
    "batch_size": 2,
    "rank": 2,
    "precision": "no",
    "checkpoint_minutes": 0,
}


def write_folder(root: Path) -> Path:
    """Twelve digits with a metadata.csv as Hugging Face's ImageFolder reads it."""
    images, labels, is_test = digits_arrays()
    root.mkdir()
    with (root / "metadata.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file_name", "label", "text"])
        for i in range(CAPTIONED):
            digit = labels[~is_test][i]
            Image.fromarray(images[~is_test][i] // 3).save(root / f"{i}.png")
            table.writerow([f"{i}.png", digit, f"a digit {DIGIT_WORDS[digit]} in pencil"])
    return root


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("source") / "pencil")


@pytest.fixture
def captioned(workspace: Workspace, source: Path) -> Workspace:
    """A workspace with the view "pencil" of captioned images."""
    import_images(workspace, str(source), "folder", "train")
    make_view(workspace, "pencil", ViewSpec())
    return workspace


@pytest.fixture(scope="module")
def finished(source: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Job]:
    workspace = Workspace.create(tmp_path_factory.mktemp("finished") / "w", (), "digits")
    import_images(workspace, str(source), "folder", "train")
    make_view(workspace, "pencil", ViewSpec())
    job = finetune.submit(workspace, "pencil", "digits", validate_every=2, **SETTINGS)
    return workspace, run_to_end(workspace, job, HANDLERS)


def test_the_result_is_a_generator_of_the_workspace(finished: tuple[Workspace, Job]) -> None:
    workspace, job = finished
    assert (job.state, job.error) == ("done", "")
    (model,) = finetune.list_finetuned(workspace)
    assert (model.name, model.base, model.method) == ("pencil-lora", "digits", "lora")
    assert (model.images, model.steps) == (CAPTIONED, 4)
    assert job.result["model"] == model.name
    assert model.path == workspace.root / "models" / "finetuned" / "pencil-lora"
    assert [each.name for each in model.path.parent.iterdir()] == ["pencil-lora"]  # no checkpoint is left
    generator = load_generator(model.path, device="cpu")
    assert generator.generate([GenerationRequest("a digit three in pencil", 0)])[0].pixels.shape == (
        32,
        32,
        3,
    )
    assert "pencil" in generator.describe().words


def test_validation_images_can_be_shown_but_are_no_data(finished: tuple[Workspace, Job]) -> None:
    workspace, job = finished
    shown = job.result["validation"]
    assert [each["step"] for each in shown] == [0, 2, 4]
    for entry in shown:
        assert len(entry["images"]) == len(entry["prompts"]) == 4
        assert all("in pencil" in prompt for prompt in entry["prompts"])
        assert all(workspace.images.is_intact(sha256) for sha256 in entry["images"])
    known = {each.sha256 for each in catalog.find_images(workspace.db)}
    assert len(known) == CAPTIONED
    assert not known & {sha256 for each in shown for sha256 in each["images"]}


def test_the_first_validation_images_are_the_bases(finished: tuple[Workspace, Job]) -> None:
    workspace, job = finished
    entry = job.result["validation"][0]
    requests = [GenerationRequest(prompt, seed) for seed, prompt in enumerate(entry["prompts"])]
    for sha256, drawn in zip(entry["images"], load_generator("digits").generate(requests), strict=True):
        assert np.abs(workspace.images.read(sha256).astype(int) - drawn.pixels).max() <= 2


def test_the_loss_is_kept_in_at_most_200_entries(finished: tuple[Workspace, Job]) -> None:
    workspace, job = finished
    assert [each["step"] for each in job.result["history"]] == [1, 2, 3, 4]
    assert all(np.isfinite(each["loss"]) for each in job.result["history"])
    long = Job(**{**{name: getattr(job, name) for name in Job.__slots__}, "total": 999, "result": {}})
    from synthaug.running.jobs import JobContext

    context = JobContext(workspace, long)
    watch = finetune._LossCurve(context)
    for step in range(999):
        watch("finetune", step + 1, 999, float(step))
    history = context.result["history"]
    assert len(history) == 200
    assert history[0] == {"step": 5, "loss": 2.0}  # the mean of the five steps up to it
    assert history[-1] == {"step": 999, "loss": np.mean([995, 996, 997, 998])}


@pytest.mark.long
def test_killed_and_started_again_it_ends_with_the_same_weights(
    finished: tuple[Workspace, Job], captioned: Workspace
) -> None:
    job = finetune.submit(captioned, "pencil", "digits", validate_every=2, **SETTINGS)
    work = [sys.executable, "-c", "from synthaug.cli import main; main()", "jobs", "--resume", str(job)]
    environment = {**os.environ, "SYNTHAUG_WORKSPACE": str(captioned.root)}
    process = subprocess.Popen(work, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    checkpoint = captioned.root / "models/finetuned/.pencil-lora.checkpoints/finetune.safetensors"
    while not checkpoint.exists():
        assert process.poll() is None, process.communicate()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert jobs.get(captioned.db, job).state == "running"  # nobody was left to say otherwise
    assert not finetune.list_finetuned(captioned)
    resumed = run_to_end(captioned, job, HANDLERS)
    assert (resumed.state, resumed.error) == ("done", "")
    result, whole = resumed.result, finished[1].result
    assert result["validation"] == whole["validation"]  # drawn with the weights of steps 0, 2 and 4
    assert result["history"][-1] == whole["history"][-1]


def test_captions_come_from_the_import_then_the_prompt_then_the_template(captioned: Workspace) -> None:
    bare = captioned.images.put(np.full((32, 32, 3), 7, np.uint8), {})
    image, _ = catalog.add_image(
        captioned.db, sha256=bare, size=(32, 32), split="train", origin="real", source="x"
    )
    (made,) = add_synthetic(captioned, 1, 8)
    first = catalog.find_images(captioned.db)[0]
    views.create(captioned.db, "mixed", {}, [(first.id, 3), (made, 8), (image, 5), (image, 5)])
    found = captioned_images(captioned, "mixed", "a photo of a {class}")
    assert found.captions[0].endswith(" in pencil")
    assert found.captions[1:] == ("a bold digit", "a photo of a 5", "a photo of a 5")
    assert found.hashes[2:] == (bare, bare)
    assert found.classes == ("3", "5", "8")
    with pytest.raises(
        UserError, match=r"2 of the 4 training images in 'mixed' have no caption.*metadata\.csv"
    ):
        finetune.submit(captioned, "mixed", "digits")


def test_test_images_are_never_learned(captioned: Workspace) -> None:
    pixels = np.full((32, 32, 3), 9, np.uint8)
    held_out, _ = catalog.add_image(
        captioned.db,
        sha256=pixel_hash(pixels),
        size=(32, 32),
        split="test",
        origin="real",
        source="x",
        caption="a secret",
    )
    first = catalog.find_images(captioned.db)[0]
    with pytest.raises(ViewError, match="test split"):
        views.create(captioned.db, "leaky", {}, [(held_out, 0), (first.id, 0)])
    # Views of an older release may hold test images all the same.
    for name, member in (("leaky", first.id), ("held out", None)):
        made = views.create(captioned.db, name, {}, [] if member is None else [(member, 0)])
        with captioned.db.transaction() as connection:
            connection.execute("INSERT INTO view_images VALUES (?, 1, ?, 0)", [made.id, held_out])
    assert "a secret" not in captioned_images(captioned, "leaky", None).captions
    with pytest.raises(UserError, match="no training images"):
        finetune.submit(captioned, "held out", "digits")


def test_full_size_copies_are_learned_where_they_are_kept(captioned: Workspace) -> None:
    small, large = np.full((32, 32, 3), 50, np.uint8), np.full((64, 64, 3), 50, np.uint8)
    sha256 = captioned.images.put(small, {}, review=large)
    image, _ = catalog.add_image(
        captioned.db, sha256=sha256, size=(32, 32), split="train", origin="real", source="x", caption="gray"
    )
    views.create(captioned.db, "sizes", {}, [(image, 0)] * 2)
    read = finetune._pixels(captioned, captioned_images(captioned, "sizes", None))
    assert [each.shape for each in read] == [(64, 64, 3)] * 2


def test_dreambooth_takes_the_class_of_its_view(captioned: Workspace) -> None:
    image = catalog.find_images(captioned.db)[0]
    views.create(captioned.db, "one", {}, [(image.id, 8)])
    job = finetune.submit(
        captioned, "one", "digits", "dreambooth", instance_prompt="a zwx digit", class_images=2, **SETTINGS
    )
    params = jobs.get(captioned.db, job).params
    assert params["config"]["class_prompt"] == "a photo of a 8"
    assert params["validation_prompts"] == ["a zwx digit"] * 2 + ["a photo of a 8"] * 2
    done = run_to_end(captioned, job, HANDLERS)
    assert (done.state, done.error) == ("done", "")
    with pytest.raises(UserError, match="needs a class prompt"):
        finetune.submit(captioned, "pencil", "digits", "dreambooth", instance_prompt="a zwx digit")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"view": "nobody"}, UnknownName, "no view called 'nobody'"),
        ({"base": "no such model"}, UserError, "no generator called 'no such model'"),
        ({"method": "magic"}, UserError, "lora, dreambooth, full"),
        ({"steps": 0}, UserError, "steps is 0"),
        ({"validate_every": 0}, UserError, "steps between validation images is 0"),
        ({"name": "../out"}, UserError, "is not allowed"),
        ({"shininess": 3}, UserError, "shininess"),
    ],
)
def test_invalid_fine_tunings_are_refused_before_anything_is_queued(
    captioned: Workspace, arguments: dict[str, Any], error: type[UserError], message: str
) -> None:
    with pytest.raises(error, match=message):
        finetune.submit(captioned, **{"view": "pencil", "base": "digits", **arguments})
    assert not jobs.latest(captioned.db, kinds=[finetune.KIND])


def test_names_are_taken_once(captioned: Workspace) -> None:
    names = [
        jobs.get(captioned.db, finetune.submit(captioned, "pencil", "digits")).params["name"]
        for _ in range(3)
    ]
    assert names == ["pencil-lora", "pencil-lora-2", "pencil-lora-3"]
    with pytest.raises(UserError, match="'pencil-lora' already exists or is being trained"):
        finetune.submit(captioned, "pencil", "digits", name="pencil-lora")


def test_a_training_that_diverges_fails_with_advice(captioned: Workspace) -> None:
    job = finetune.submit(
        captioned,
        "pencil",
        "digits",
        "full",
        learning_rate=1.0,
        max_gradient_norm=1e9,
        **SETTINGS | {"steps": 60},
    )
    done = run_to_end(captioned, job, HANDLERS)
    assert done.state == "failed"
    assert "try a tenth of it" in done.error
    assert not finetune.list_finetuned(captioned)


def test_the_command_prints_the_model(captioned: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--base", "digits", "--steps", "2", "--batch-size", "2", "--rank", "2", "--name", "pencil"]
    with pytest.raises(SystemExit) as exit_:
        main(["finetune", "--data", "pencil", *options, "-w", str(captioned.root), "--json"])
    printed = capsys.readouterr()
    assert exit_.value.code == 0, printed.err
    found = json.loads(printed.out.splitlines()[-1])
    assert found["model"] == "pencil"
    assert (found["images"], found["steps"]) == (CAPTIONED, 2)
    assert [each.name for each in finetune.list_finetuned(captioned)] == ["pencil"]
