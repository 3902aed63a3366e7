"""Generate images from a prompt template: a resumable job of exactly ``count`` images.

The prompt and the seed of image *i* follow from the job's parameters alone, so a job that was killed and goes
on makes what it would have made; what is there already is skipped.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from synthaug.errors import TemplateError, UserError
from synthaug.generators import load_generator
from synthaug.generators.base import Generator
from synthaug.records import GenerationRequest, Pixels, Prompt
from synthaug.running.jobs import JobContext
from synthaug.store import catalog, generations, jobs
from synthaug.store.generations import Generation
from synthaug.templates import Duplicates, Template
from synthaug.workspace import Workspace

KIND = "generate"
MAX_COUNT = 10_000_000


def submit(
    workspace: Workspace,
    template: str,
    label: str,
    count: int,
    generator: str = "embedded",
    steps: int | None = None,
    guidance: float | None = None,
    seed: int = 0,
    slots: Mapping[str, Sequence[str]] | None = None,
    duplicates: Duplicates = "keep",
    stratify: str | None = None,
) -> int:
    """Check everything, then queue the job; returns its id. Raises UserError.

    ``duplicates`` and ``stratify`` as in :func:`draw_prompts`.
    """
    catalog.class_index(workspace.db, label)
    if not 1 <= count <= MAX_COUNT:
        raise UserError(f"the number of images is {count}; it must lie in 1 .. {MAX_COUNT}")
    if steps is not None and not 1 <= steps <= 1000:
        raise UserError(f"the number of steps is {steps}; it must lie in 1 .. 1000")
    if guidance is not None and not 0 <= guidance <= 100:
        raise UserError(f"the guidance scale is {guidance}; it must lie in 0 .. 100")
    parsed = Template.parse(template, slots)
    draw_prompts(parsed, 1, seed, duplicates, stratify)
    params = {
        "template": template,
        # The lists as they are now: a word list edited later must not change a job that goes on.
        "slots": {name: list(values) for name, values in (slots or {}).items()},
        "prompts": parsed.count,
        "label": label,
        "count": count,
        "generator": generator,
        "steps": steps,
        "guidance": guidance,
        "seed": seed,
        "duplicates": duplicates,
        "stratify": stratify,
        "size": catalog.usual_size(workspace.db),  # what the real images have: both must train together
    }
    return jobs.submit(workspace.db, KIND, params, count)


def run(context: JobContext) -> dict[str, Any]:
    """Make the images of a job that are not there yet."""
    workspace, params = context.workspace, context.job.params
    count = int(params["count"])
    done = generations.done_positions(workspace.db, context.job.id)
    pending = [position for position in range(count) if position not in done]
    result: dict[str, Any] = {"generated": 0, "skipped": count - len(pending), "seconds": 0.0}
    if not pending:
        return result
    context.progress(len(done), count, "loading the generator", **result)
    prompts = job_prompts(params)
    size = params["size"]
    generator = load_generator(
        params["generator"],
        num_inference_steps=params["steps"],
        guidance_scale=params["guidance"],
        output_size=None if size is None else tuple(size),
    )
    started = time.monotonic()
    batch = generator.settings.batch_size
    for start in range(0, len(pending), batch):
        positions = pending[start : start + batch]
        requests = [request(prompts[position], params["seed"], position) for position in positions]
        images = generator.generate(requests, should_cancel=context.should_cancel)
        _store(
            context, generator, positions, prompts, requests, [(each.pixels, each.review) for each in images]
        )
        result["generated"] += len(positions)
        result["seconds"] = round(time.monotonic() - started, 3)
        rate = result["generated"] / max(result["seconds"], 1e-9)
        context.progress(count - len(pending) + result["generated"], count, f"{rate:.1f} images/s", **result)
    return result


def preview(
    workspace: Workspace,
    template: str,
    label: str,
    count: int = 8,
    generator: str = "embedded",
    steps: int | None = None,
    guidance: float | None = None,
    seed: int = 0,
    slots: Mapping[str, Sequence[str]] | None = None,
) -> list[tuple[Prompt, Pixels]]:
    """The first images that :func:`submit` with the same arguments would make. Nothing is stored."""
    catalog.class_index(workspace.db, label)
    prompts = draw_prompts(Template.parse(template, slots), count, seed)
    model = load_generator(
        generator,
        num_inference_steps=steps,
        guidance_scale=guidance,
        output_size=catalog.usual_size(workspace.db),
    )
    images = model.generate([request(prompt, seed, i) for i, prompt in enumerate(prompts)])
    return [(prompt, image.pixels) for prompt, image in zip(prompts, images, strict=True)]


def job_prompts(params: Mapping[str, Any]) -> list[Prompt]:
    """The prompts of a job, image by image."""
    template = Template.parse(params["template"], params["slots"])
    if template.count != params["prompts"]:
        raise UserError(
            f"the template had {params['prompts']} prompts when the job began and has {template.count} now: "
            "a word list has changed. Start a new job"
        )
    return draw_prompts(template, params["count"], params["seed"], params["duplicates"], params["stratify"])


def draw_prompts(
    template: Template, count: int, seed: int, duplicates: Duplicates = "keep", stratify: str | None = None
) -> list[Prompt]:
    """``count`` prompts drawn without replacement; where there are fewer, again and again in fresh orders.

    ``duplicates``: "keep" draws a text that the template gives twice twice, "skip" once. ``stratify`` names a
    slot of which every value is to be drawn equally often. Raises TemplateError.
    """
    there_are = template.count if duplicates == "keep" else template.unique_count
    if there_are is None:
        raise TemplateError("this template has too many prompts to tell the different ones; keep duplicates")
    prompts: list[Prompt] = []
    for turn in range(-(-count // there_are)):
        wanted = min(there_are, count - len(prompts))
        if stratify is None:
            prompts += template.sample(wanted, seed + turn, duplicates)
        else:
            prompts += template.stratified(wanted, stratify, seed + turn, duplicates)
    return prompts


def image_seed(job_seed: int, position: int) -> int:
    """The seed of a job's image, 0 .. 2**63 - 1: independent of batch size, order and what else is made."""
    digest = hashlib.sha256(f"{job_seed}:{position}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def request(prompt: Prompt, job_seed: int, position: int) -> GenerationRequest:
    """What image ``position`` is made from."""
    return GenerationRequest(prompt.text, image_seed(job_seed, position))


def _store(
    context: JobContext,
    generator: Generator,
    positions: Sequence[int],
    prompts: Sequence[Prompt],
    requests: Sequence[GenerationRequest],
    images: Sequence[tuple[Pixels, Pixels | None]],
) -> None:
    """Files first, then their rows in one transaction: a kill in between leaves files that are made again."""
    workspace, job = context.workspace, context.job
    hashes = []
    for position, made, (pixels, review) in zip(positions, requests, images, strict=True):
        provenance = {
            "template": job.params["template"],
            "prompt": made.prompt,
            "slots": dict(prompts[position].slots),
            "label": job.params["label"],
            "seed": made.seed,
            "generator": generator.name,
            "revision": generator.revision,
            "num_inference_steps": generator.settings.num_inference_steps,
            "guidance_scale": generator.settings.guidance_scale,
        }
        text = {"Origin": "synthetic", "Description": made.prompt, "synthaug": json.dumps(provenance)}
        hashes.append(workspace.images.put(pixels, text, review))
    class_index = catalog.class_index(workspace.db, job.params["label"])
    with workspace.db.transaction():
        for position, made, sha256, (pixels, _) in zip(positions, requests, hashes, images, strict=True):
            image_id, _ = catalog.add_image(
                workspace.db,
                sha256=sha256,
                size=(pixels.shape[1], pixels.shape[0]),
                split="train",
                origin="synthetic",
                source=f"job {job.id}",
            )
            generations.add(
                workspace.db,
                Generation(
                    job_id=job.id,
                    position=position,
                    image_id=image_id,
                    class_index=class_index,
                    prompt=made.prompt,
                    prompt_index=prompts[position].index,
                    slots=prompts[position].slots,
                    seed=made.seed,
                    generator=generator.name,
                    revision=generator.revision,
                ),
            )
