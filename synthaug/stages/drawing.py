"""Generating the images of a job in any process; a worker needs only the parameters and the image files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from synthaug.generators import CONTEXT_PREFIX, load_generator
from synthaug.generators.base import GeneratedImage, Generator
from synthaug.grayscale import as_picture
from synthaug.images import encode_png, pixel_hash
from synthaug.parsing import JsonRecord
from synthaug.records import GenerationRequest, ImagePlace, Json, Pixels, Prompt
from synthaug.stages.generation_plan import PromptOrder, guidance_of, job_prompts, request
from synthaug.stages.generation_spec import GenerationParams, GenerationSpec
from synthaug.stages.inference import use_threads
from synthaug.stages.pixels import read_file
from synthaug.store.image_store import ImageStore

WINDOW = 64  # batches, within which images with the same guidance are grouped


@dataclass(frozen=True, slots=True)
class Drawing:
    """A generated image with its inputs; ``source`` is the SHA-256 of the image that it started from."""

    position: int
    prompt: Prompt
    asked: GenerationRequest
    source: str | None
    image: GeneratedImage


@dataclass(frozen=True, slots=True)
class DrawnImage:
    """A generated image to be stored; ``cut`` is that of GeneratedImage."""

    position: int
    sha256: str
    size: tuple[int, int]  # width, height in pixels
    prompt: Prompt
    text: str  # the prompt that was given to the generator
    seed: int
    generator: str
    revision: str
    details: Json
    cut: str
    png: bytes
    review: bytes | None


@dataclass(frozen=True, slots=True)
class DrawTask(JsonRecord):
    """The positions ``first`` .. ``stop`` - 1 of a job except for those in ``without``.

    ``sources`` are the SHA-256 of the images to start from, one for each position; None means a start from text.
    """

    first: int
    stop: int
    without: tuple[int, ...] = ()
    sources: tuple[str | None, ...] | None = None

    @property
    def pending(self) -> list[int]:
        """The positions to generate, ascending."""
        without = set(self.without)
        return [each for each in range(self.first, self.stop) if each not in without]


class Drawer:
    """Generates the images at given positions of a job; a maker of :mod:`synthaug.executors`.

    ``params``: JSON of GenerationParams. ``images``: where the workspace's images are, for jobs that start from images.
    ``threads``: of torch; on a CPU equal numbers of threads give equal pixels. ``job``: tells jobs apart, unused.
    ``generator``: what ``load_generator`` takes, where that is not the name in ``params``.
    """

    def __init__(
        self,
        params: Json,
        images: ImagePlace,
        threads: int | None = None,
        job: Any = None,
        generator: str | None = None,
    ) -> None:
        if threads is not None:
            use_threads(threads)
        self._params = GenerationParams.from_json(params)
        self._images = ImageStore.at(images)
        self._prompts: PromptOrder = job_prompts(self._params)
        self.generator: Generator = load(self._params, generator)
        self._name = _with_start(self._params.spec, self._params.generator)

    def make(self, payload: Any, should_cancel: Callable[[], bool]) -> Iterator[dict[str, bytes]]:
        """The files of the images of ``payload``, the JSON of a :class:`DrawTask`, batch by batch."""
        task = DrawTask.from_json(payload)
        pending = task.pending
        sources = dict(zip(pending, task.sources or [None] * len(pending), strict=True))
        prompts = self._prompts.between(task.first, task.stop)
        by_position = dict(enumerate(prompts, task.first))
        for batch in batches(self._params.spec, by_position, pending, self.generator.settings.batch_size):
            drawn = self.draw({each: by_position[each] for each in batch}, sources, should_cancel)
            files: dict[str, bytes] = {}
            for each in drawn:
                files |= self._files(each)
            yield files

    def draw(
        self,
        prompts: Mapping[int, Prompt],
        sources: Mapping[int, str | None],
        should_cancel: Callable[[], bool] = lambda: False,
    ) -> list[Drawing]:
        """Generate the images at these positions. Raises Cancelled, and ImageLost for an unreadable source."""
        asked = [
            request(self._params.spec, prompt, position, self._source(sources.get(position)))
            for position, prompt in prompts.items()
        ]
        images = self.generator.generate(asked, should_cancel=should_cancel)
        return [
            Drawing(position, prompt, each, sources.get(position), image)
            for (position, prompt), each, image in zip(prompts.items(), asked, images, strict=True)
        ]

    def text(self, drawn: Drawing) -> dict[str, str]:
        """The text chunks of the file of a generated image, which describe how it was generated."""
        spec, settings = self._params.spec, self.generator.settings
        provenance = {
            "template": spec.template,
            "prompt": drawn.asked.prompt,
            "slots": dict(drawn.prompt.slots),
            "label": spec.label,
            "seed": drawn.asked.seed,
            "generator": self._name,
            "revision": self.generator.revision,
            "num_inference_steps": settings.num_inference_steps,
            "guidance_scale": settings.guidance_scale,
            "guidance_interval": list(settings.guidance_interval),
            **details_of(spec, drawn),
        }
        return {"Origin": "synthetic", "Description": drawn.asked.prompt, "synthaug": json.dumps(provenance)}

    def _source(self, sha256: str | None) -> Pixels | None:
        return None if sha256 is None else as_picture(read_file(self._images, sha256))

    def _files(self, drawn: Drawing) -> dict[str, bytes]:
        """The files of an image: PNG, the larger original if there is one, and the other fields as JSON."""
        text, image, name = self.text(drawn), drawn.image, f"{drawn.position:010d}"
        facts = {
            "sha256": pixel_hash(image.pixels),
            "size": [image.pixels.shape[1], image.pixels.shape[0]],
            "prompt": asdict(drawn.prompt),
            "text": drawn.asked.prompt,
            "seed": drawn.asked.seed,
            "generator": self._name,
            "revision": self.generator.revision,
            "details": details_of(self._params.spec, drawn),
            "cut": image.cut,
        }
        files = {f"{name}.png": encode_png(image.pixels, text), f"{name}.json": json.dumps(facts).encode()}
        if image.review is not None:
            files[f"{name}.review.png"] = encode_png(image.review, text)
        return files


def _with_start(spec: GenerationSpec, name: str) -> str:
    """The name of a generator, with a prefix if it generates backgrounds for subjects."""
    return f"{CONTEXT_PREFIX}{name}" if spec.start == "context" else name


def load(params: GenerationParams, generator: str | None = None) -> Generator:
    """Load the generator of a job; ``generator`` is as for :class:`Drawer`."""
    spec = params.spec
    return load_generator(
        _with_start(spec, generator or params.generator),
        num_inference_steps=spec.steps,
        guidance_scale=None if isinstance(spec.guidance, tuple) else spec.guidance,
        guidance_interval=spec.guidance_interval,
        output_size=params.size,
        compile=spec.compile,
        cpu_format=spec.cpu_format or "float32",  # of jobs queued before there was another
    )


def read_files(files: Mapping[str, bytes]) -> list[DrawnImage]:
    """Read the images from the files of a task, in the order of generation."""
    found = []
    for name, data in files.items():
        stem, _, kind = name.partition(".")
        if kind != "json":
            continue
        facts = json.loads(data)
        facts["prompt"] = Prompt(**facts["prompt"])
        facts["size"] = tuple(facts["size"])
        found.append(
            DrawnImage(
                position=int(stem), png=files[f"{stem}.png"], review=files.get(f"{stem}.review.png"), **facts
            )
        )
    return found


def batches(
    spec: GenerationSpec, prompts: Mapping[int, Prompt], pending: Sequence[int], batch: int
) -> Iterator[list[int]]:
    """The pending positions in batches with equal guidance, since a generator takes one guidance per batch.

    Positions are grouped within a window only, so that a job that is stopped early has images of every guidance.
    """
    for first in range(0, len(pending), WINDOW * batch):
        groups: dict[float | None, list[int]] = {}
        for position in pending[first : first + WINDOW * batch]:
            groups.setdefault(guidance_of(spec, prompts[position], position), []).append(position)
        for group in groups.values():
            for start in range(0, len(group), batch):
                yield group[start : start + batch]


def details_of(spec: GenerationSpec, drawn: Drawing) -> Json:
    """Everything else that determined the pixels: the image it started from, and details of the generator."""
    if drawn.source is None:
        return dict(drawn.image.details)
    # "kept" is 0 if no subject was found, because nothing of the source is kept then.
    mask = drawn.asked.mask
    kept = {} if mask is None else {"kept": round(1 - float(mask.mean()), 4)}
    return {"start": spec.start, "source": drawn.source, **kept, **drawn.image.details}
