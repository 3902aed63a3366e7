"""Generation jobs with the real embedded model: exact, resumable, with provenance."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from synthaug.errors import Cancelled, TemplateError, UserError
from synthaug.generators.augmentation import distort
from synthaug.generators.compositing.masks import subject_mask
from synthaug.records import Job, Prompt
from synthaug.running.jobs import run_to_end
from synthaug.stages import drawing, generate, generation_plan
from synthaug.stages.generation_spec import GenerationParams, GenerationSpec
from synthaug.stages.handlers import HANDLERS
from synthaug.stages.view import ViewSpec, make_view
from synthaug.store import catalog, generations, jobs, labels, views
from synthaug.templates import Template
from synthaug.workspace import Workspace

pytestmark = pytest.mark.slow

TEMPLATE = "a <STROKE> handwritten digit eight"
COUNT = 40


def spec(**asked: Any) -> GenerationSpec:
    """What the tests ask for where they do not say otherwise: eights of the digits model, two steps."""
    usual = {"template": TEMPLATE, "label": "8", "count": 24, "generator": "digits", "steps": 2}
    return GenerationSpec(**{**usual, "slots": {"STROKE": ["bold", "thin"]}, **asked})


def shown(workspace: Workspace, asked: GenerationSpec, count: int) -> list[generate.Drawn]:
    """A preview, its batches joined."""
    return [each for batch in generate.preview(workspace, asked, count) for each in batch]


def submit(workspace: Workspace, count: int = COUNT, seed: int = 3) -> int:
    return generate.submit(workspace, spec(count=count, seed=seed))


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
    drawn = shown(uninterrupted, spec(count=COUNT, seed=3), 3)
    assert len(drawn) == 3
    hashes = made(uninterrupted, 1)
    for position, each in enumerate(drawn):
        assert np.array_equal(uninterrupted.images.read(hashes[position]), each.image.pixels)
        assert each.prompt.text.startswith("a ")


def test_a_preview_can_be_stopped(workspace: Workspace) -> None:
    with pytest.raises(Cancelled):
        list(generate.preview(workspace, spec(), should_cancel=lambda: True))


def test_a_preview_shows_eight(uninterrupted: Workspace) -> None:
    assert sum(len(batch) for batch in generate.preview(uninterrupted, spec(count=3, steps=1))) == 8


@pytest.mark.long
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
    prompts = generation_plan.PromptOrder(Template.parse("{a|b|c}"), 7, seed=0).between(0, 7)
    assert (
        sorted(prompt.text for prompt in prompts[:3])
        == sorted(prompt.text for prompt in prompts[3:6])
        == ["a", "b", "c"]
    )
    assert len({generation_plan.image_seed(0, position) for position in range(7)}) == 7


def test_duplicates_and_strata_are_chosen_explicitly() -> None:
    template = Template.parse("{a|a|b} {x|y}")
    keep = [prompt.text for prompt in generation_plan.PromptOrder(template, 6, 0).between(0, 6)]
    skip = [prompt.text for prompt in generation_plan.PromptOrder(template, 4, 0, "skip").between(0, 4)]
    assert sorted(keep) == ["a x", "a x", "a y", "a y", "b x", "b y"]
    assert sorted(skip) == ["a x", "a y", "b x", "b y"]
    even = generation_plan.PromptOrder(template, 2, 0, "keep", "choice2").between(0, 2)
    assert sorted(prompt.text[-1] for prompt in even) == ["x", "y"]


def test_a_word_list_that_changed_stops_the_job_instead_of_mixing(workspace: Workspace) -> None:
    job = submit(workspace)
    params = GenerationParams.from_json({**jobs.get(workspace.db, job).params, "prompts": 3})
    with pytest.raises(UserError, match="a word list has changed"):
        generation_plan.job_prompts(params)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"label": "platypus"}, UserError, "no class called 'platypus'"),
        ({"count": 0}, UserError, "number of images is 0"),
        ({"steps": 0}, UserError, "number of steps is 0"),
        ({"guidance": -1.0}, UserError, "guidance scale is -1.0"),
        ({"guidance": (1.0, 101.0)}, UserError, "guidance scale is 101.0"),
        (
            {"guidance": (3.0, 3.0)},
            UserError,
            r"guidance range is 3 \.\. 3; its end must be at least 0\.25 above",
        ),
        ({"guidance_interval": (0.8, 0.2)}, UserError, r"guidance interval is 0\.8\.\.0\.2; give two shares"),
        (
            {"guidance_by_slot": {"NOBODY": {"bold": 2.0}}},
            UserError,
            "no slot called 'NOBODY'; available: 'choice1'",
        ),
        (
            {"guidance_by_slot": {"choice1": {"pink": 2.0}}},
            UserError,
            "no value of the slot choice1 called 'pink'",
        ),
        ({"guidance_by_slot": {"choice1": {"bold": -2.0}}}, UserError, r"guidance scale is -2\.0"),
        ({"start": "nothing"}, UserError, "no start called 'nothing'; available: 'context', 'image'"),
        ({"start": "image"}, UserError, "no image of the class '8' among the real training images"),
        ({"start": "image", "sources": "nobody"}, UserError, "no view called 'nobody'"),
        ({"start": "image", "strength": 2.0}, UserError, "the strength is 2; it must be above 0"),
        ({"strength": 0.5}, UserError, "need the start"),
        ({"sources": "nobody"}, UserError, "need the start"),
        ({"generator": "context:digits"}, UserError, "use 'digits' with the start 'context'"),
        ({"label": None}, UserError, "give the class of the images, one of '0', '1'"),
        ({"stratify": "NOBODY"}, TemplateError, "cannot stratify by 'NOBODY'"),
        ({"template": "a <NOBODY> cat"}, TemplateError, "NOBODY"),
        ({"template": "a {cat"}, TemplateError, "without a matching"),
    ],
)
def test_invalid_generations_are_refused_before_anything_is_queued(
    workspace: Workspace, arguments: dict[str, Any], error: type[UserError], message: str
) -> None:
    defaults: dict[str, Any] = {"template": "a {bold|thin} 8", "label": "8", "count": 1}
    with pytest.raises(error, match=message):
        generate.submit(workspace, GenerationSpec(**{**defaults, **arguments}))
    assert not jobs.latest(workspace.db)


def test_a_generator_that_is_gone_fails_the_job_with_words(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "no-such-folder"
    folder.mkdir()
    number = generate.submit(workspace, GenerationSpec("x", "8", 1, generator=str(folder)))
    folder.rmdir()
    job = run_to_end(workspace, number, HANDLERS)
    assert job.state == "failed"
    assert "no-such-folder" in job.error


def details_of(workspace: Workspace, job: int) -> list[generations.Generation]:
    """Everything a job recorded, by position."""
    rows = workspace.db.query("SELECT image_id FROM generations WHERE job_id = ?", [job])
    found = generations.of_images(workspace.db, [row["image_id"] for row in rows])
    return sorted(found.values(), key=lambda each: each.position)


def provenance(workspace: Workspace, image_id: int) -> dict[str, Any]:
    """What the PNG of an image says of it."""
    (image,) = catalog.images_by_id(workspace.db, [image_id])
    with Image.open(workspace.images.path(image.sha256)) as png:
        return dict(json.loads(png.text["synthaug"]))


def finish(workspace: Workspace, **arguments: Any) -> Job:
    """A job of the digits model with two steps, worked to its end."""
    job = run_to_end(workspace, generate.submit(workspace, spec(**arguments)), HANDLERS)
    assert job.state == "done", job.error
    return job


def test_guidance_is_drawn_from_the_range_and_a_slots_own_wins(workspace: Workspace) -> None:
    asked: dict[str, Any] = {"guidance": (1.0, 3.0), "guidance_by_slot": {"stroke": {"thin": 6.0}}, "seed": 4}
    job = finish(workspace, **asked)
    made = details_of(workspace, job.id)
    scales = {
        stroke: [each.details["guidance_scale"] for each in made if each.slots["STROKE"] == stroke]
        for stroke in ("bold", "thin")
    }
    assert set(scales["thin"]) == {6.0}
    assert len(set(scales["bold"])) > 3
    assert all(1 <= scale <= 3 and (4 * scale).is_integer() for scale in scales["bold"])
    assert provenance(workspace, made[0].image_id)["guidance_scale"] == made[0].details["guidance_scale"]
    # What an image is drawn with depends on the job's seed and its position alone.
    for each, drawn in zip(made, shown(workspace, spec(**asked), 5), strict=False):
        assert each.prompt == drawn.prompt.text
        (image,) = catalog.images_by_id(workspace.db, [each.image_id])
        assert np.array_equal(workspace.images.read(image.sha256), drawn.image.pixels)


def test_only_the_steps_asked_for_are_guided_and_the_file_says_so(workspace: Workspace) -> None:
    everywhere, in_part = (
        details_of(workspace, finish(workspace, seed=4, guidance=6.0, guidance_interval=interval).id)
        for interval in (None, (0.5, 1.0))
    )
    assert provenance(workspace, everywhere[0].image_id)["guidance_interval"] == [0.0, 1.0]
    assert provenance(workspace, in_part[0].image_id)["guidance_interval"] == [0.5, 1.0]
    assert {each.image_id for each in everywhere}.isdisjoint({each.image_id for each in in_part})


def test_every_value_of_a_guidance_range_is_drawn() -> None:
    asked = GenerationSpec("a", None, 1, guidance=(1.0, 2.1))
    prompt = Prompt(0, "a", {})
    drawn = [generation_plan.guidance_of(asked, prompt, position) for position in range(500)]
    assert sorted(set(drawn)) == [1.0, 1.25, 1.5, 1.75, 2.0]
    assert min(Counter(drawn).values()) > 60


def test_batches_hold_one_guidance_and_every_position_once() -> None:
    asked = GenerationSpec("a", None, 1, guidance=(1.0, 5.0))
    prompts = dict.fromkeys(range(1500), Prompt(0, "a", {}))
    pending = list(range(100, 1500))
    batches = list(drawing.batches(asked, prompts, pending, 8))
    assert sorted(position for batch in batches for position in batch) == pending
    for batch in batches:
        assert len({generation_plan.guidance_of(asked, prompts[0], position) for position in batch}) == 1
    assert len(batches) < 1.4 * len(pending) / 8


def test_a_job_can_start_from_the_real_images_of_its_class(digits: Workspace) -> None:
    job = finish(digits, start="image", strength=0.5, count=6)
    real = {image.image_id: image for image in labels.labeled_images(digits.db, split="train", origin="real")}
    eights = {image.sha256: image for image in real.values() if image.class_index == 8}
    made = details_of(digits, job.id)
    assert len({each.details["source"] for each in made}) > 1
    for each in made:
        assert each.details == {"start": "image", "strength": 0.5, "source": each.details["source"]}
        assert each.details["source"] in eights
        assert provenance(digits, each.image_id)["source"] == each.details["source"]
    (image,) = catalog.images_by_id(digits.db, [made[0].image_id])
    near = np.abs(
        digits.images.read(image.sha256).astype(int) - digits.images.read(made[0].details["source"])
    )
    other = next(sha256 for sha256 in eights if sha256 != made[0].details["source"])
    far = np.abs(digits.images.read(image.sha256).astype(int) - digits.images.read(other))
    assert near.mean() < far.mean()


def test_sources_are_a_views_images_of_the_class(digits: Workspace) -> None:
    make_view(digits, "few", ViewSpec(keep={"8": 2}))
    view = views.members(digits.db, views.by_name(digits.db, "few").id)
    allowed = {each.sha256 for each in view if each.class_index == 8}
    made = details_of(digits, finish(digits, start="image", sources="few", count=8).id)
    assert {each.details["source"] for each in made} == allowed
    assert len(allowed) == 2


def test_classical_augmentation_takes_every_source_equally_often(digits: Workspace) -> None:
    make_view(digits, "few", ViewSpec(keep={"8": 5}))
    asked: dict[str, Any] = {"generator": "augmentation", "steps": None, "start": "image", "sources": "few"}
    job = finish(digits, template="distorted", slots={}, count=12, **asked)
    made = details_of(digits, job.id)
    view = views.members(digits.db, views.by_name(digits.db, "few").id)
    eights = {each.sha256 for each in view if each.class_index == 8}
    assert {each.details["source"] for each in made} == eights
    assert sorted(Counter(each.details["source"] for each in made).values()) == [2, 2, 2, 3, 3]
    assert {(each.class_index, each.generator, each.prompt) for each in made} == {
        (8, "augmentation", "distorted")
    }
    for each in made:
        (image,) = catalog.images_by_id(digits.db, [each.image_id])
        source = digits.images.read(each.details["source"])
        assert np.array_equal(digits.images.read(image.sha256), distort(source, each.details))
        assert provenance(digits, each.image_id)["rotation"] == each.details["rotation"]
    augmented = make_view(digits, "a", ViewSpec(base="few", add_synthetic={"8": 12}, jobs=(job.id,)))
    assert views.counts(digits.db, augmented.id)["8"] == 17


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "distorts real images; use it with the start 'image', not 'text'"),
        ({"start": "context"}, "with the start 'image', not 'context'"),
        ({"start": "image", "strength": 0.5}, "takes no strength; leave out the 0.5"),
        ({"start": "image", "label": None}, "give the class of the images"),
        ({"start": "image", "steps": 5}, "takes no steps"),
        ({"start": "image", "guidance_interval": (0.2, 0.8)}, "no guidance, and cannot be compiled"),
        ({"start": "image", "guidance": (1.0, 2.0)}, "no guidance, and cannot be compiled"),
        ({"start": "image", "compile": True}, "cannot be compiled"),
        ({"start": "image"}, "there is no image of the class '8' among the real training images"),
    ],
)
def test_augmentation_refuses_what_it_does_not_take(
    workspace: Workspace, arguments: dict[str, Any], message: str
) -> None:
    usual = {"template": "x", "label": "8", "count": 1, "generator": "augmentation"}
    with pytest.raises(UserError, match=message):
        generate.submit(workspace, GenerationSpec(**{**usual, **arguments}))
    assert not jobs.latest(workspace.db)


def test_prompts_that_are_too_long_are_counted(workspace: Workspace) -> None:
    long = "a handwritten digit eight " + "bold thin " * 50
    job = finish(workspace, template=f"{{an eight|{long}}}", count=20)
    assert job.result["cut"]["images"] == 10
    assert long.endswith(job.result["cut"]["example"])
    assert "cut" not in finish(workspace, template="an eight", count=1).result


def test_a_job_that_the_first_release_queued_goes_on(workspace: Workspace) -> None:
    old = {
        "template": TEMPLATE,
        "slots": {"STROKE": ["bold", "thin"]},
        "prompts": 2,
        "label": "8",
        "count": 2,
        "generator": "digits",
        "steps": 2,
        "guidance": None,
        "seed": 3,
        "duplicates": "keep",
        "stratify": None,
        "size": None,
    }
    job = run_to_end(workspace, jobs.submit(workspace.db, generate.KIND, old, 2), HANDLERS)
    assert (job.state, job.result["generated"]) == ("done", 2)
    asked = spec(count=2, seed=3, cpu_format="float32")
    again = run_to_end(workspace, generate.submit(workspace, asked), HANDLERS)
    assert made(workspace, job.id) == made(workspace, again.id)


def test_inpainting_keeps_the_subjects_of_real_images(digits: Workspace) -> None:
    made = details_of(digits, finish(digits, start="inpaint", count=8).id)
    for each in made:
        assert (each.details["start"], each.details["strength"]) == ("inpaint", 1.0)
        (image,) = catalog.images_by_id(digits.db, [each.image_id])
        source = digits.images.read(each.details["source"])
        drawn, subject = digits.images.read(image.sha256), subject_mask(source)
        assert each.details["kept"] == pytest.approx(subject.mean(), abs=1e-4)
        assert np.array_equal(drawn[subject], source[subject])
    assert any(each.details["kept"] > 0 for each in made)
