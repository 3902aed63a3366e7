"""Generate images from a prompt template: a resumable job of exactly ``count`` images.

What image *i* is made from follows from the job's parameters alone, so a job that was killed and goes on makes
what it would have made; what is there already is skipped.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from synthaug.generators import CONTEXT_PREFIX, load_generator
from synthaug.generators.base import GeneratedImage, Generator
from synthaug.records import GenerationRequest, ImageRecord, Prompt
from synthaug.running.jobs import JobContext
from synthaug.stages.generation_params import resolve
from synthaug.stages.generation_plan import guidance_of, job_prompts, request, source_of
from synthaug.stages.generation_result import GenerationResult
from synthaug.stages.generation_spec import GenerationParams, GenerationSpec
from synthaug.stages.generator_names import locate
from synthaug.stages.pixels import read_image
from synthaug.store import catalog, generations, jobs
from synthaug.store.generations import Generation
from synthaug.workspace import Workspace

KIND = "generate"
PREVIEWS = 8
WINDOW = 64  # batches; within as many images those of one guidance are gathered


@dataclass(frozen=True, slots=True)
class Drawn:
    """One image of a preview, and the prompt it was drawn from."""

    prompt: Prompt
    image: GeneratedImage


def submit(workspace: Workspace, spec: GenerationSpec) -> int:
    """Check everything, then queue the job; returns its id. Raises UserError."""
    return jobs.submit(workspace.db, KIND, resolve(workspace, spec).to_json(), spec.count)


def preview(
    workspace: Workspace,
    spec: GenerationSpec,
    count: int = PREVIEWS,
    should_cancel: Callable[[], bool] = lambda: False,
) -> Iterator[list[Drawn]]:
    """The first ``count`` images of the job that ``submit`` would queue, batch by batch. Nothing is stored.

    Raises UserError, and Cancelled within a step of ``should_cancel()``.
    """
    params = resolve(workspace, replace(spec, count=count))
    prompts = job_prompts(params)
    generator = load(workspace, params)
    for start in range(0, count, generator.settings.batch_size):
        positions = range(start, min(count, start + generator.settings.batch_size))
        made = requests(workspace, params, prompts, positions)
        images = generator.generate([each for each, _ in made], should_cancel=should_cancel)
        yield [Drawn(prompts[position], image) for position, image in zip(positions, images, strict=True)]


def run(context: JobContext) -> dict[str, Any]:
    """Make the images of a job that are not there yet."""
    workspace, params = context.workspace, GenerationParams.from_json(context.job.params)
    count = params.spec.count
    done = generations.done_positions(workspace.db, context.job.id)
    pending = [position for position in range(count) if position not in done]
    before = GenerationResult.from_json(context.result)
    result = GenerationResult(skipped=count - len(pending), cut=before.cut)
    if not pending:
        return result.to_json()
    context.progress(len(done), count, "loading the generator", **result.to_json(), rate=0.0, unit="images")
    prompts = job_prompts(params)
    generator = load(workspace, params)
    started = time.monotonic()
    for positions in _batches(params.spec, prompts, pending, generator.settings.batch_size):
        made = requests(workspace, params, prompts, positions)
        images = generator.generate([each for each, _ in made], should_cancel=context.should_cancel)
        places = [(prompts[each], each) for each in positions]
        _store(context, params.spec, generator, places, made, images)
        result = result.after(images, time.monotonic() - started)
        rate = result.generated / max(result.seconds, 1e-9)
        stored = result.skipped + result.generated
        context.progress(stored, count, f"{rate:.1f} images/s", **result.to_json(), rate=round(rate, 3))
    return result.to_json()


def load(workspace: Workspace, params: GenerationParams) -> Generator:
    """The generator that a job of these parameters draws with."""
    name, spec = locate(workspace, params.generator), params.spec
    return load_generator(
        f"{CONTEXT_PREFIX}{name}" if spec.start == "context" else name,
        num_inference_steps=spec.steps,
        guidance_scale=None if isinstance(spec.guidance, tuple) else spec.guidance,
        output_size=params.size,
        compile=spec.compile,
    )


def _batches(
    spec: GenerationSpec, prompts: Sequence[Prompt], pending: Sequence[int], batch: int
) -> Iterator[list[int]]:
    """The pending positions in batches of one guidance each: a generator cannot draw two together.

    They are gathered within a window only, so that a job that is stopped early has images of every guidance.
    """
    for first in range(0, len(pending), WINDOW * batch):
        groups: dict[float | None, list[int]] = {}
        for position in pending[first : first + WINDOW * batch]:
            groups.setdefault(guidance_of(spec, prompts[position], position), []).append(position)
        for group in groups.values():
            for start in range(0, len(group), batch):
                yield group[start : start + batch]


def requests(
    workspace: Workspace, params: GenerationParams, prompts: Sequence[Prompt], positions: Sequence[int]
) -> list[tuple[GenerationRequest, ImageRecord | None]]:
    """What these images are made from, each with the image it starts from."""
    ids = [source_of(params, position) for position in positions]
    found = catalog.images_by_id(workspace.db, sorted({each for each in ids if each is not None}))
    records = {record.id: record for record in found}
    made = []
    for position, source_id in zip(positions, ids, strict=True):
        record = None if source_id is None else records[source_id]
        source = None if record is None else read_image(workspace, record.sha256)
        made.append((request(params.spec, prompts[position], position, source), record))
    return made


def _store(
    context: JobContext,
    spec: GenerationSpec,
    generator: Generator,
    places: Sequence[tuple[Prompt, int]],
    made: Sequence[tuple[GenerationRequest, ImageRecord | None]],
    images: Sequence[GeneratedImage],
) -> None:
    """Files first, then their rows in one transaction: a kill in between leaves files that are made again."""
    workspace, job = context.workspace, context.job
    class_index = None if spec.label is None else catalog.class_index(workspace.db, spec.label)
    rows = []
    for (prompt, position), (asked, source), image in zip(places, made, images, strict=True):
        details = details_of(spec, asked, source, image)
        text = described(spec, generator, prompt, asked, details)
        sha256 = workspace.images.put(image.pixels, text, image.review)
        rows.append((prompt, position, asked, image.pixels, sha256, details))
    workspace.images.flush()
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
                    generator=_shown(generator, spec),
                    revision=generator.revision,
                    details=details,
                ),
            )


def described(
    spec: GenerationSpec,
    generator: Generator,
    prompt: Prompt,
    asked: GenerationRequest,
    details: Mapping[str, Any],
) -> dict[str, str]:
    """What is written into the file of a generated image: how it came to be."""
    provenance = {
        "template": spec.template,
        "prompt": asked.prompt,
        "slots": dict(prompt.slots),
        "label": spec.label,
        "seed": asked.seed,
        "generator": _shown(generator, spec),
        "revision": generator.revision,
        "num_inference_steps": generator.settings.num_inference_steps,
        "guidance_scale": generator.settings.guidance_scale,
        **details,
    }
    return {"Origin": "synthetic", "Description": asked.prompt, "synthaug": json.dumps(provenance)}


def _shown(generator: Generator, spec: GenerationSpec) -> str:
    """The name that the generator was asked for by: that of one made here, not its folder."""
    name = spec.generator or generator.name
    return f"{CONTEXT_PREFIX}{name}" if spec.start == "context" else name


def details_of(
    spec: GenerationSpec, asked: GenerationRequest, source: ImageRecord | None, image: GeneratedImage
) -> dict[str, Any]:
    """What else decided an image's pixels: where it started, and what the generator says of it."""
    if source is None:
        return dict(image.details)
    # Where no subject was found, nothing of the source is kept, and this says so: 0.
    kept = {} if asked.mask is None else {"kept": round(1 - float(asked.mask.mean()), 4)}
    return {"start": spec.start, "source": source.sha256, **kept, **image.details}
