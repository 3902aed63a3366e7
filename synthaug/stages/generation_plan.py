"""The inputs of each image of a generation job: prompt, seed, guidance and starting image.

They depend only on the parameters of the job and the position of the image, not on other images or the order of work.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import islice
from random import Random

from synthaug.errors import TemplateError, UserError
from synthaug.records import GenerationRequest, Pixels, Prompt
from synthaug.stages.generation_spec import GenerationParams, GenerationSpec
from synthaug.stages.guidance import GUIDANCE_GRID
from synthaug.templates import Duplicates, Template


class PromptOrder:
    """The prompts of a job by position, drawn without replacement; if there are fewer, all again in new random orders.

    With duplicates "keep", a prompt that occurs twice in the template is drawn twice; with "skip", once. ``stratify``
    names a slot whose values are all drawn equally often. Raises TemplateError if that is not possible.
    """

    def __init__(
        self,
        template: Template,
        count: int,
        seed: int,
        duplicates: Duplicates = "keep",
        stratify: str | None = None,
    ) -> None:
        available = template.count if duplicates == "keep" else template.unique_count
        if available is None:
            raise TemplateError(
                "this template has too many prompts to find duplicates among them; choose to keep duplicates"
            )
        self._template, self._count, self._seed = template, count, seed
        self._duplicates, self._stratify = duplicates, stratify
        self._per_round = available
        self._round, self._place, self._order = 0, 0, self._drawn(0)

    def between(self, first: int, stop: int) -> list[Prompt]:
        """The prompts of positions ``first`` .. ``stop`` - 1. Quick if asked in ascending order."""
        found: list[Prompt] = []
        while first < stop:
            round_, place = divmod(first, self._per_round)
            if round_ != self._round or place < self._place:
                self._round, self._place, self._order = round_, 0, self._drawn(round_)
            taken = min(stop - first, self._per_round - place)
            found += islice(self._order, place - self._place, place - self._place + taken)
            self._place = place + taken
            first += taken
        return found

    def _drawn(self, round_: int) -> Iterator[Prompt]:
        """The prompts of a round, in its random order."""
        wanted = min(self._per_round, self._count - round_ * self._per_round)
        if self._stratify is None:
            return self._template.sample(wanted, self._seed + round_, self._duplicates)
        return self._template.stratified(wanted, self._stratify, self._seed + round_, self._duplicates)


def job_prompts(params: GenerationParams) -> PromptOrder:
    """The prompts of a job. Raises UserError if a word list has changed since the job was queued."""
    spec = params.spec
    template = Template.parse(spec.template, spec.slots, spec.retired)  # None in jobs of older releases: none
    if template.count != params.prompts:
        raise UserError(
            f"the template had {params.prompts} prompts when the job was queued and now has {template.count}, because "
            "a word list has changed; start a new job"
        )
    return PromptOrder(template, spec.count, spec.seed, spec.duplicates, spec.stratify)


def image_seed(job_seed: int, position: int) -> int:
    """The seed (0 .. 2**63 - 1) of the image at a position; independent of batch size, order and other images."""
    digest = hashlib.sha256(f"{job_seed}:{position}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def guidance_of(spec: GenerationSpec, prompt: Prompt, position: int) -> float | None:
    """The guidance scale of an image, or None for the generator's default. Slot values take precedence."""
    for slot, scales in spec.guidance_by_slot.items():
        if (scale := scales.get(prompt.slots.get(slot, ""))) is not None:
            return float(scale)
    if not isinstance(spec.guidance, tuple):
        return None
    low, high = spec.guidance
    step = _draw(spec.seed, position, "guidance").randrange(int((high - low) / GUIDANCE_GRID) + 1)
    return low + step * GUIDANCE_GRID


def source_of(params: GenerationParams, position: int) -> int | None:
    """The id of the image to start from, taking turns; None for a start from text."""
    ids = params.source_ids
    return None if ids is None else ids[position % len(ids)]


def _draw(job_seed: int, position: int, what: str) -> Random:
    return Random(f"{image_seed(job_seed, position)}:{what}")  # noqa: S311


def request(spec: GenerationSpec, prompt: Prompt, position: int, source: Pixels | None) -> GenerationRequest:
    """The request for the image at ``position``; ``source`` holds the pixels of the image ``source_of``."""
    mask = None
    if source is not None and spec.start == "inpaint":
        from synthaug.generators.compositing.masks import subject_mask

        mask = ~subject_mask(source)  # keeps the subject and replaces its background
    return GenerationRequest(
        prompt=prompt.text,
        seed=image_seed(spec.seed, position),
        guidance_scale=guidance_of(spec, prompt, position),
        image=source,
        mask=mask,
        strength=spec.strength,
    )
