"""Generation jobs with the real embedded model: exact, resumable, with provenance."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synthaug.errors import TemplateError, UserError
from synthaug.running.jobs import run_to_end
from synthaug.stages import generate
from synthaug.stages.catalog import HANDLERS
from synthaug.store import catalog, generations, jobs
from synthaug.workspace import Workspace

TEMPLATE = "a <STROKE> handwritten digit eight"
COUNT = 40


def submit(workspace: Workspace, count: int = COUNT, seed: int = 3) -> int:
    return generate.submit(
        workspace, TEMPLATE, "8", count, steps=2, seed=seed, slots={"STROKE": ["bold", "thin"]}
    )


def made(workspace: Workspace, job: int) -> dict[int, str]:
    """Position -> hash of everything a job made."""
    rows = workspace.db.query(
        "SELECT position, sha256 FROM generations JOIN images ON images.id = image_id WHERE job_id = ?", [job]
    )
    return {row["position"]: row["sha256"] for row in rows}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace.create(tmp_path_factory.mktemp("whole") / "w", (), "digits")
    run_to_end(workspace, submit(workspace), HANDLERS)
    return workspace


def test_a_job_makes_exactly_its_images_and_keeps_how(uninterrupted: Workspace) -> None:
    images = catalog.find_images(uninterrupted.db, origin="synthetic")
    assert len(images) == COUNT
    assert {image.split for image in images} == {"train"}
    made_by = generations.of_images(uninterrupted.db, [image.id for image in images])
    assert sorted(each.position for each in made_by.values()) == list(range(COUNT))
    assert {each.slots["STROKE"] for each in made_by.values()} == {"bold", "thin"}
    assert {each.class_index for each in made_by.values()} == {8}
    assert len({each.seed for each in made_by.values()}) == COUNT
    first = next(image for image in images if made_by[image.id].position == 0)
    with Image.open(uninterrupted.images.path(first.sha256)) as png:
        provenance = json.loads(png.text["synthaug"])
    assert provenance["prompt"] == made_by[first.id].prompt
    assert provenance["seed"] == made_by[first.id].seed
    assert provenance["num_inference_steps"] == 2


def test_a_preview_is_the_beginning_of_the_job(uninterrupted: Workspace) -> None:
    shown = generate.preview(
        uninterrupted, TEMPLATE, "8", 3, steps=2, seed=3, slots={"STROKE": ["bold", "thin"]}
    )
    hashes = made(uninterrupted, 1)
    for position, (prompt, pixels) in enumerate(shown):
        assert np.array_equal(uninterrupted.images.read(hashes[position]), pixels)
        assert prompt.text.startswith("a ")


def test_killed_and_started_again_a_job_ends_with_the_same_images(
    uninterrupted: Workspace, tmp_path: Path
) -> None:
    workspace = Workspace.create(tmp_path / "w", (), "digits")
    job = submit(workspace)
    resume = [sys.executable, "-c", "from synthaug.cli import main; main()", "jobs", "--resume", str(job)]
    environment = {**os.environ, "SYNTHAUG_WORKSPACE": str(workspace.root)}
    process = subprocess.Popen(resume, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while not made(workspace, job):
        assert process.poll() is None, process.communicate()
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = made(workspace, job)
    assert 0 < len(before) < COUNT
    assert jobs.get(workspace.db, job).state == "running"  # nobody was left to say otherwise
    done = subprocess.run([*resume, "--json"], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert made(workspace, job) == made(uninterrupted, 1)
    result = jobs.get(workspace.db, job).result
    assert (result["skipped"], result["generated"]) == (len(before), COUNT - len(before))


def test_more_images_than_prompts_repeats_prompts_with_other_seeds(workspace: Workspace) -> None:
    prompts = generate.draw_prompts(generate.Template.parse("{a|b|c}"), 7, seed=0)
    assert (
        sorted(prompt.text for prompt in prompts[:3])
        == sorted(prompt.text for prompt in prompts[3:6])
        == ["a", "b", "c"]
    )
    assert len({generate.image_seed(0, position) for position in range(7)}) == 7


def test_duplicates_and_strata_are_chosen_explicitly() -> None:
    template = generate.Template.parse("{a|a|b} {x|y}")
    keep = [prompt.text for prompt in generate.draw_prompts(template, 6, 0)]
    skip = [prompt.text for prompt in generate.draw_prompts(template, 4, 0, "skip")]
    assert sorted(keep) == ["a x", "a x", "a y", "a y", "b x", "b y"]
    assert sorted(skip) == ["a x", "a y", "b x", "b y"]
    even = generate.draw_prompts(template, 2, 0, "keep", "choice2")
    assert sorted(prompt.text[-1] for prompt in even) == ["x", "y"]


def test_a_word_list_that_changed_stops_the_job_instead_of_mixing(workspace: Workspace) -> None:
    job = submit(workspace)
    params = {**jobs.get(workspace.db, job).params, "prompts": 3}
    with pytest.raises(UserError, match="a word list has changed"):
        generate.job_prompts(params)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"label": "platypus"}, UserError, "no class called 'platypus'"),
        ({"count": 0}, UserError, "number of images is 0"),
        ({"steps": 0}, UserError, "number of steps is 0"),
        ({"guidance": -1.0}, UserError, "guidance scale is -1.0"),
        ({"stratify": "NOBODY"}, TemplateError, "cannot stratify by 'NOBODY'"),
        ({"template": "a <NOBODY> cat"}, TemplateError, "NOBODY"),
        ({"template": "a {cat"}, TemplateError, "without its"),
    ],
)
def test_what_cannot_be_generated_is_said_before_anything_is_queued(
    workspace: Workspace, arguments: dict[str, object], error: type[UserError], message: str
) -> None:
    with pytest.raises(error, match=message):
        generate.submit(workspace, **{"template": "an eight", "label": "8", "count": 1, **arguments})  # type: ignore[arg-type]
    assert not jobs.latest(workspace.db)


def test_a_generator_that_is_not_there_fails_the_job_with_words(workspace: Workspace) -> None:
    job = run_to_end(workspace, generate.submit(workspace, "x", "8", 1, generator="no-such-folder"), HANDLERS)
    assert job.state == "failed"
    assert "no-such-folder" in job.error
