"""Draw images of a generation job, in whatever process: what a worker needs is its parameters and the image files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from synthaug.generators import CONTEXT_PREFIX, load_generator
from synthaug.generators.base import GeneratedImage, Generator
from synthaug.grayscale import as_picture
from synthaug.images import encode_png, pixel_hash
from synthaug.records import GenerationRequest, ImagePlace, Pixels, Prompt
from synthaug.stages.generation_plan import PromptOrder, guidance_of, job_prompts, request
from synthaug.stages.generation_spec import GenerationParams, GenerationSpec
from synthaug.stages.inference import use_threads
from synthaug.stages.pixels import read_file
from synthaug.store.image_store import ImageStore

WINDOW = 64  # batches; within as many images those of one guidance are gathered


@dataclass(frozen=True, slots=True)
class Drawing:
    """One image of a job, and all that it was made from; ``source``: SHA-256 of the image it started from."""

    position: int
    prompt: Prompt
    asked: GenerationRequest
    source: str | None
    image: GeneratedImage


@dataclass(frozen=True, slots=True)
class DrawnImage:
    """A drawn image on its way to the database. ``cut``: see GeneratedImage."""

    position: int
    sha256: str
    size: tuple[int, int]  # width, height in pixels
    prompt: Prompt
    text: str  # the prompt as it was drawn
    seed: int
    generator: str
    revision: str
    details: Mapping[str, Any]
    cut: str
    png: bytes
    review: bytes | None


class Drawer:
    """Draws positions of a job; the maker of :mod:`synthaug.executors` for generation.

    ``params``: JSON of GenerationParams. ``images``: where the workspace's images are, for jobs that start from images.
    ``threads``: of torch; on a CPU equal numbers of threads give equal pixels. ``job``: tells jobs apart, unused.
    ``generator``: what ``load_generator`` takes, where that is not the name in ``params``.
    """

    def __init__(
        self,
        params: Mapping[str, Any],
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
        """The files of ``payload``: positions first .. stop - 1 but for ``without``, and SHA-256 of their sources."""
        skipped = set(payload["without"])
        pending = [each for each in range(payload["first"], payload["stop"]) if each not in skipped]
        sources = dict(zip(pending, payload["sources"] or [None] * len(pending), strict=True))
        prompts = self._prompts.between(payload["first"], payload["stop"])
        by_position = dict(enumerate(prompts, payload["first"]))
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
        """The images at these positions. Raises Cancelled, and ImageLost for a source that cannot be read."""
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
        """What is written into the file of a generated image: how it came to be."""
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
            **details_of(spec, drawn),
        }
        return {"Origin": "synthetic", "Description": drawn.asked.prompt, "synthaug": json.dumps(provenance)}

    def _source(self, sha256: str | None) -> Pixels | None:
        return None if sha256 is None else as_picture(read_file(self._images, sha256))

    def _files(self, drawn: Drawing) -> dict[str, bytes]:
        """An image as files: PNG, the larger review copy where there is one, and JSON of what it is made from."""
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
    """The name of a generator, with the prefix of one that draws backgrounds."""
    return f"{CONTEXT_PREFIX}{name}" if spec.start == "context" else name


def load(params: GenerationParams, generator: str | None = None) -> Generator:
    """The generator that a job of these parameters draws with; see :class:`Drawer`."""
    spec = params.spec
    return load_generator(
        _with_start(spec, generator or params.generator),
        num_inference_steps=spec.steps,
        guidance_scale=None if isinstance(spec.guidance, tuple) else spec.guidance,
        output_size=params.size,
        compile=spec.compile,
    )


def read_files(files: Mapping[str, bytes]) -> list[DrawnImage]:
    """The images of a task's files, in the order they were drawn."""
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


def details_of(spec: GenerationSpec, drawn: Drawing) -> dict[str, Any]:
    """What else decided an image's pixels: where it started, and what the generator says of it."""
    if drawn.source is None:
        return dict(drawn.image.details)
    # Where no subject was found, nothing of the source is kept, and this says so: 0.
    mask = drawn.asked.mask
    kept = {} if mask is None else {"kept": round(1 - float(mask.mean()), 4)}
    return {"start": spec.start, "source": drawn.source, **kept, **drawn.image.details}
