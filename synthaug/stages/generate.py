"""Generating images from a prompt template: a resumable job of exactly ``count`` images.

The inputs of an image follow from the parameters of the job and its position alone, so that a killed job resumes with
the same images; existing ones are skipped. Whichever executor generates them (see :mod:`synthaug.executors`), this
process stores them in the workspace, range by range in the order of the positions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from synthaug.executors import check_executor, job_folder, load_executor
from synthaug.executors.base import ExecutorSpec, Task, Work
from synthaug.generators.base import GeneratedImage
from synthaug.records import Json, Prompt
from synthaug.running.jobs import JobContext
from synthaug.stages.drawing import Drawer, DrawnImage, DrawTask, read_files
from synthaug.stages.generation_params import resolve
from synthaug.stages.generation_plan import job_prompts, source_of
from synthaug.stages.generation_result import GenerationResult
from synthaug.stages.generation_spec import GenerationParams, GenerationSpec
from synthaug.stages.generator_names import locate
from synthaug.stages.inference import threads
from synthaug.store import catalog, generations, jobs
from synthaug.store.generations import Generation
from synthaug.workspace import Workspace

KIND = "generate"
PREVIEWS = 8  # images
RANGES = 64  # of a job with several workers, if that gives ranges of SMALLEST .. LARGEST images
SMALLEST, LARGEST = 16, 256
MIXED = 128  # smallest range if images differ in guidance, since a batch has one guidance
SERIAL = 1024  # range of a job with one process, which stores every batch


@dataclass(frozen=True, slots=True)
class Drawn:
    """One image of a preview, and its prompt."""

    prompt: Prompt
    image: GeneratedImage


def submit(workspace: Workspace, spec: GenerationSpec, executor: ExecutorSpec | None = None) -> int:
    """Check ``spec``, then queue the job; returns its id. Raises UserError.

    ``executor`` says who generates; None means this process.
    """
    chosen = executor or ExecutorSpec()
    check_executor(chosen)
    params = replace(resolve(workspace, spec), executor=chosen)
    return jobs.submit(workspace.db, KIND, params.to_json(), spec.count)


def preview(
    workspace: Workspace,
    spec: GenerationSpec,
    count: int = PREVIEWS,
    should_cancel: Callable[[], bool] = lambda: False,
) -> Iterator[list[Drawn]]:
    """The first ``count`` images of the job that ``submit`` would queue, batch by batch; nothing is stored.

    Raises UserError, and Cancelled within one denoising step after ``should_cancel()`` is true.
    """
    params = resolve(workspace, replace(spec, count=count))
    drawer = Drawer(params.to_json(), workspace.images.place, generator=locate(workspace, params.generator))
    prompts = job_prompts(params).between(0, count)
    size = drawer.generator.settings.batch_size
    for start in range(0, count, size):
        batch = dict(list(enumerate(prompts))[start : start + size])
        drawn = drawer.draw(batch, sources(workspace, params, list(batch)), should_cancel)
        yield [Drawn(each.prompt, each.image) for each in drawn]


def run(context: JobContext) -> Json:
    """Generate the images of a job that do not exist yet."""
    workspace, params = context.workspace, GenerationParams.from_json(context.job.params)
    count, spec = params.spec.count, params.executor
    tasks = list(_tasks(workspace, context.job.id, params))
    pending = sum(len(DrawTask.from_json(task.payload).pending) for task in tasks)
    before = GenerationResult.from_json(context.result)
    result = GenerationResult(skipped=count - pending, cut=before.cut)
    if pending:
        context.progress(
            result.skipped, count, "loading the generator", **result.to_json(), rate=0.0, unit="images"
        )
    name = f"job-{context.job.id}"
    executor = load_executor(spec, job_folder(spec, workspace.root, name, context.job.created_at))
    work = Work("synthaug.stages.drawing:Drawer", _maker_params(context, params) if pending else {})
    started = time.monotonic()
    for part in executor.run(work, tasks, context.should_cancel):
        images = read_files(part.files)
        _store(context, params.spec, images)
        result = result.after([each.cut for each in images], time.monotonic() - started)
        rate = result.generated / max(result.seconds, 1e-9)
        stored = result.skipped + result.generated
        context.progress(stored, count, f"{rate:.1f} images/s", **result.to_json(), rate=round(rate, 3))
    return result.to_json()


def _tasks(workspace: Workspace, job_id: int, params: GenerationParams) -> Iterator[Task]:
    """The ranges of positions that are not complete."""
    count = params.spec.count
    size = params.executor.shard_size or _range_size(params)
    done = generations.done_by_range(workspace.db, job_id, size)
    for number, first in enumerate(range(0, count, size)):
        stop = min(first + size, count)
        there = done.get(number, 0)
        if there == stop - first:
            continue
        without = sorted(generations.done_positions(workspace.db, job_id, first, stop)) if there else []
        task = DrawTask(first, stop, tuple(without))
        if params.source_ids is not None:
            task = replace(task, sources=tuple(sources(workspace, params, task.pending).values()))
        yield Task(f"{first:010d}-{stop:010d}-{len(without)}", task.to_json())


def _range_size(params: GenerationParams) -> int:
    """The default number of images in a range."""
    spec = params.spec
    if params.executor.name == "serial":
        return SERIAL
    mixed = isinstance(spec.guidance, tuple) or bool(spec.guidance_by_slot)
    return min(max(spec.count // RANGES, MIXED if mixed else SMALLEST), LARGEST)


def sources(
    workspace: Workspace, params: GenerationParams, positions: Sequence[int]
) -> dict[int, str | None]:
    """SHA-256 of the image that each position starts from; None for a start from text."""
    ids = {position: source_of(params, position) for position in positions}
    wanted = sorted({each for each in ids.values() if each is not None})
    hashes = {record.id: record.sha256 for record in catalog.images_by_id(workspace.db, wanted)}
    return {position: None if each is None else hashes[each] for position, each in ids.items()}


def _maker_params(context: JobContext, params: GenerationParams) -> Json:
    """The parameters of :class:`.drawing.Drawer`, which every worker gets once."""
    workspace, job = context.workspace, context.job
    return {
        "params": replace(params, source_ids=None, executor=ExecutorSpec()).to_json(),
        "images": workspace.images.place,
        "threads": threads(),
        "job": [job.id, job.created_at],
        "generator": locate(workspace, params.generator),
    }


def _store(context: JobContext, spec: GenerationSpec, images: Sequence[DrawnImage]) -> None:
    """Store the files, and then their rows in one transaction, so that no row is ever without its file."""
    workspace, job = context.workspace, context.job
    class_index = None if spec.label is None else catalog.class_index(workspace.db, spec.label)
    for image in images:
        workspace.images.put_encoded(image.sha256, image.png, image.review)
    workspace.images.flush()
    with workspace.db.transaction():
        for image in images:
            image_id, _ = catalog.add_image(
                workspace.db,
                sha256=image.sha256,
                size=image.size,
                split="train",
                origin="synthetic",
                source=f"job {job.id}",
            )
            generations.add(workspace.db, _generation(job.id, image_id, class_index, image))


def _generation(job_id: int, image_id: int, class_index: int | None, image: DrawnImage) -> Generation:
    return Generation(
        job_id=job_id,
        position=image.position,
        image_id=image_id,
        class_index=class_index,
        prompt=image.text,
        prompt_index=image.prompt.index,
        slots=image.prompt.slots,
        seed=image.seed,
        generator=image.generator,
        revision=image.revision,
        details=image.details,
    )
