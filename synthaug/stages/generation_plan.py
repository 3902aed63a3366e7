"""What each image of a generation job is made from: its prompt, seed, guidance and starting image.

All of it follows from the job's parameters and the image's position alone, whatever else is made and when.
"""

from __future__ import annotations

import hashlib
from random import Random

from synthaug.errors import TemplateError, UserError
from synthaug.records import GenerationRequest, Pixels, Prompt
from synthaug.stages.generation_spec import GenerationParams, GenerationSpec
from synthaug.stages.guidance import GUIDANCE_GRID
from synthaug.templates import Duplicates, Template


def job_prompts(params: GenerationParams) -> list[Prompt]:
    """The prompts of a job, image by image. Raises UserError if a word list has changed since it was queued."""
    spec = params.spec
    template = Template.parse(spec.template, spec.slots, spec.retired)  # None in jobs of older releases: none
    if template.count != params.prompts:
        raise UserError(
            f"the template had {params.prompts} prompts when the job began and has {template.count} now: "
            "a word list has changed. Start a new job"
        )
    return draw_prompts(template, spec.count, spec.seed, spec.duplicates, spec.stratify)


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


def guidance_of(spec: GenerationSpec, prompt: Prompt, position: int) -> float | None:
    """The guidance scale of an image; None: the generator's own. A slot's value wins over the range."""
    for slot, scales in spec.guidance_by_slot.items():
        if (scale := scales.get(prompt.slots.get(slot, ""))) is not None:
            return float(scale)
    if not isinstance(spec.guidance, tuple):
        return None
    low, high = spec.guidance
    step = _draw(spec.seed, position, "guidance").randrange(int((high - low) / GUIDANCE_GRID) + 1)
    return low + step * GUIDANCE_GRID


def source_of(params: GenerationParams, position: int) -> int | None:
    """The id of the image that an image starts from, each taken in turn; None where it starts from text."""
    ids = params.source_ids
    return None if ids is None else ids[position % len(ids)]


def _draw(job_seed: int, position: int, what: str) -> Random:
    return Random(f"{image_seed(job_seed, position)}:{what}")  # noqa: S311


def request(spec: GenerationSpec, prompt: Prompt, position: int, source: Pixels | None) -> GenerationRequest:
    """What image ``position`` is made from; ``source`` holds the pixels of ``source_of``."""
    mask = None
    if source is not None and spec.start == "inpaint":
        from synthaug.generators.compositing.masks import subject_mask

        mask = ~subject_mask(source)  # the subject stays, its background is drawn anew
    return GenerationRequest(
        prompt=prompt.text,
        seed=image_seed(spec.seed, position),
        guidance_scale=guidance_of(spec, prompt, position),
        image=source,
        mask=mask,
        strength=spec.strength,
    )
