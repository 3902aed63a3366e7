"""Generate images from a prompt template: a resumable job of exactly ``count`` images.

What image *i* is made from follows from the job's parameters alone, so a job that was killed and goes on makes
what it would have made; what is there already is skipped.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from synthaug.generators import CONTEXT_PREFIX, load_generator
from synthaug.generators.base import GeneratedImage, Generator
from synthaug.records import GenerationRequest, ImageRecord, Pixels, Prompt
from synthaug.running.jobs import JobContext
from synthaug.stages.generation_params import LATER_PARAMS, Start, checked_params
from synthaug.stages.generation_plan import guidance_of, job_prompts, request, source_of
from synthaug.store import catalog, generations, jobs
from synthaug.store.generations import Generation
from synthaug.templates import Duplicates
from synthaug.workspace import Workspace

KIND = "generate"
WINDOW = 64  # batches; within as many images those of one guidance are gathered


def submit(
    workspace: Workspace,
    template: str,
    label: str | None,
    count: int,
    generator: str | None = None,
    steps: int | None = None,
    guidance: float | tuple[float, float] | None = None,
    seed: int = 0,
    slots: Mapping[str, Sequence[str]] | None = None,
    duplicates: Duplicates = "keep",
    stratify: str | None = None,
    *,
    guidance_by_slot: Mapping[str, Mapping[str, float]] | None = None,
    start: Start = "text",
    strength: float | None = None,
    sources: str | None = None,
    compile: bool = False,
) -> int:
    """Check everything, then queue the job; returns its id. Raises UserError.

    ``generator``: None for the shipped one that fits the workspace. ``label``: None only for a generator that
    draws without a class. ``guidance``: a scale, or the ends of a range from which each image's own is drawn;
    ``guidance_by_slot`` (slot -> value -> scale) wins over it. ``duplicates`` and ``stratify`` as in
    :func:`.generation_plan.draw_prompts`. ``start``: from noise ("text"), or from an image of the class in the
    view ``sources`` (default: the real train images): redrawn as a whole ("image"), but for its subject
    ("inpaint"), or with its subject elsewhere on a new background ("context"); ``strength`` (0 .. 1): how much
    of it is drawn anew.
    """
    params = checked_params(
        workspace,
        template,
        label,
        count,
        generator,
        steps,
        guidance,
        seed,
        slots,
        duplicates,
        stratify,
        guidance_by_slot,
        start,
        strength,
        sources,
        compile,
    )
    return jobs.submit(workspace.db, KIND, params, count)


def preview(
    workspace: Workspace, template: str, label: str | None, count: int = 8, **options: Any
) -> list[tuple[Prompt, Pixels]]:
    """The first images that :func:`submit` with the same arguments would make. Nothing is stored."""
    params = checked_params(workspace, template, label, count, **options)
    prompts = job_prompts(params)
    made = requests(workspace, params, prompts, range(count))
    images = load(params).generate([each for each, _ in made])
    return [(prompt, image.pixels) for prompt, image in zip(prompts, images, strict=True)]


def run(context: JobContext) -> dict[str, Any]:
    """Make the images of a job that are not there yet."""
    workspace, params = context.workspace, {**LATER_PARAMS, **context.job.params}
    count = int(params["count"])
    done = generations.done_positions(workspace.db, context.job.id)
    pending = [position for position in range(count) if position not in done]
    result: dict[str, Any] = {"generated": 0, "skipped": count - len(pending), "seconds": 0.0}
    if not pending:
        return result
    context.progress(len(done), count, "loading the generator", **result, rate=0.0, unit="images")
    prompts = job_prompts(params)
    generator = load(params)
    started = time.monotonic()
    for positions in _batches(params, prompts, pending, generator.settings.batch_size):
        made = requests(workspace, params, prompts, positions)
        images = generator.generate([each for each, _ in made], should_cancel=context.should_cancel)
        _store(context, generator, [(prompts[each], each) for each in positions], made, images)
        result["generated"] += len(positions)
        result["seconds"] = round(time.monotonic() - started, 3)
        result |= _cut(context.result | result, images)
        rate = result["generated"] / max(result["seconds"], 1e-9)
        drawn = count - len(pending) + result["generated"]
        context.progress(drawn, count, f"{rate:.1f} images/s", **result, rate=round(rate, 3))
    return result


def load(params: Mapping[str, Any]) -> Generator:
    """The generator that a job of these parameters draws with."""
    name, guidance, size = params["generator"], params["guidance"], params["size"]
    return load_generator(
        f"{CONTEXT_PREFIX}{name}" if params["start"] == "context" else name,
        num_inference_steps=params["steps"],
        guidance_scale=None if isinstance(guidance, list) else guidance,
        output_size=None if size is None else tuple(size),
        compile=params["compile"],
    )


def _batches(
    params: Mapping[str, Any], prompts: Sequence[Prompt], pending: Sequence[int], batch: int
) -> Iterator[list[int]]:
    """The pending positions in batches of one guidance each: a generator cannot draw two together.

    They are gathered within a window only, so that a job that is stopped early has images of every guidance.
    """
    for first in range(0, len(pending), WINDOW * batch):
        groups: dict[float | None, list[int]] = {}
        for position in pending[first : first + WINDOW * batch]:
            groups.setdefault(guidance_of(params, prompts[position], position), []).append(position)
        for group in groups.values():
            for start in range(0, len(group), batch):
                yield group[start : start + batch]


def requests(
    workspace: Workspace, params: Mapping[str, Any], prompts: Sequence[Prompt], positions: Sequence[int]
) -> list[tuple[GenerationRequest, ImageRecord | None]]:
    """What these images are made from, each with the image it starts from."""
    ids = [source_of(params, position) for position in positions]
    found = catalog.images_by_id(workspace.db, sorted({each for each in ids if each is not None}))
    records = {record.id: record for record in found}
    made = []
    for position, source_id in zip(positions, ids, strict=True):
        record = None if source_id is None else records[source_id]
        source = None if record is None else workspace.images.read(record.sha256)
        made.append((request(params, prompts[position], position, source), record))
    return made


def _cut(result: Mapping[str, Any], images: Sequence[GeneratedImage]) -> dict[str, Any]:
    """How many prompts so far were longer than the text encoder reads, and the end of one that it did not read."""
    cuts = [image.cut for image in images if image.cut]
    before = result.get("cut")
    if not cuts:
        return {} if before is None else {"cut": before}
    if before is None:
        return {"cut": {"images": len(cuts), "example": cuts[0]}}
    return {"cut": {**before, "images": before["images"] + len(cuts)}}


def _store(
    context: JobContext,
    generator: Generator,
    places: Sequence[tuple[Prompt, int]],
    made: Sequence[tuple[GenerationRequest, ImageRecord | None]],
    images: Sequence[GeneratedImage],
) -> None:
    """Files first, then their rows in one transaction: a kill in between leaves files that are made again."""
    workspace, job = context.workspace, context.job
    label = job.params["label"]
    class_index = None if label is None else catalog.class_index(workspace.db, label)
    rows = []
    for (prompt, position), (asked, source), image in zip(places, made, images, strict=True):
        details = _details(job.params, asked, source, image)
        provenance = {
            "template": job.params["template"],
            "prompt": asked.prompt,
            "slots": dict(prompt.slots),
            "label": label,
            "seed": asked.seed,
            "generator": generator.name,
            "revision": generator.revision,
            "num_inference_steps": generator.settings.num_inference_steps,
            "guidance_scale": generator.settings.guidance_scale,
            **details,
        }
        text = {"Origin": "synthetic", "Description": asked.prompt, "synthaug": json.dumps(provenance)}
        sha256 = workspace.images.put(image.pixels, text, image.review)
        rows.append((prompt, position, asked, image.pixels, sha256, details))
    with workspace.db.transaction():
        for prompt, position, asked, pixels, sha256, details in rows:
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
                    prompt=asked.prompt,
                    prompt_index=prompt.index,
                    slots=prompt.slots,
                    seed=asked.seed,
                    generator=generator.name,
                    revision=generator.revision,
                    details=details,
                ),
            )


def _details(
    params: Mapping[str, Any], asked: GenerationRequest, source: ImageRecord | None, image: GeneratedImage
) -> dict[str, Any]:
    """What else decided an image's pixels: where it started, and what the generator says of it."""
    if source is None:
        return dict(image.details)
    # Where no subject was found, nothing of the source is kept, and this says so: 0.
    kept = {} if asked.mask is None else {"kept": round(1 - float(asked.mask.mean()), 4)}
    return {"start": params["start"], "source": source.sha256, **kept, **image.details}
