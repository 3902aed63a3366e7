"""Checking a generation job before it is queued, and fixing everything that determines its images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import get_args

from synthaug.config import DEFAULT_GENERATOR, FALLBACK_GENERATOR
from synthaug.errors import UnknownName, UserError, ViewError
from synthaug.generators import CONTEXT_PREFIX
from synthaug.generators.base import ModelCard
from synthaug.generators.diffusion.guided_steps import check_interval
from synthaug.generators.folders import AUGMENTATION, family_of, find_model
from synthaug.hardware import CPUFormat, fastest_cpu_format
from synthaug.stages.generation_plan import PromptOrder
from synthaug.stages.generation_spec import GenerationParams, GenerationSpec, Start
from synthaug.stages.generator_names import locate, name_of
from synthaug.stages.guidance import check_guidance, check_scale
from synthaug.stages.retire import left_out
from synthaug.store import catalog, labels, views
from synthaug.templates import Template
from synthaug.workspace import Workspace

MAX_COUNT = 10_000_000
MAX_STEPS = 1000
MAX_VALUES = 1_000_000  # values of a slot up to which guidance values are checked against them

UNPROMPTED = "{|}"
"""A template without any prompt: two empty options."""


def resolve(workspace: Workspace, spec: GenerationSpec) -> GenerationParams:
    """Check ``spec``, and resolve everything that depends on the workspace. Raises UserError."""
    generator = name_of(workspace, spec.generator or usual_generator(workspace))
    _check_start(spec, generator)
    _check_label(workspace, spec, locate(workspace, generator))
    if not 1 <= spec.count <= MAX_COUNT:
        raise UserError(f"the number of images is {spec.count}; it must be in 1 .. {MAX_COUNT}")
    if spec.cpu_format not in (None, *get_args(CPUFormat)):
        raise UnknownName("CPU format", str(spec.cpu_format), get_args(CPUFormat))
    if spec.steps is not None and not 1 <= spec.steps <= MAX_STEPS:
        raise UserError(f"the number of steps is {spec.steps}; it must be in 1 .. {MAX_STEPS}")
    check_guidance(spec.guidance)
    if spec.guidance_interval is not None:
        check_interval(spec.guidance_interval)
    unprompted = spec.label is None and not spec.template.strip()
    text = UNPROMPTED if unprompted else spec.template
    retired = left_out(workspace, text, spec.slots) if spec.retired is None else spec.retired
    template = Template.parse(text, spec.slots, retired)
    PromptOrder(template, 1, spec.seed, spec.duplicates, spec.stratify).between(0, 1)
    scales = _slot_scales(template, spec.guidance_by_slot)
    sources = None if spec.start == "text" else _source_ids(workspace, spec)
    fixed = replace(
        spec,
        template=template.text,
        generator=generator,
        guidance_by_slot=scales,
        retired=retired,
        sources=None,
        cpu_format=spec.cpu_format or fastest_cpu_format(),
    )
    return GenerationParams(fixed, generator, template.count, sources, catalog.usual_size(workspace.db))


def usual_generator(workspace: Workspace) -> str:
    """The shipped generator for the preset of the workspace."""
    return DEFAULT_GENERATOR.get(workspace.preset, FALLBACK_GENERATOR)


def _check_label(workspace: Workspace, spec: GenerationSpec, generator: str) -> None:
    if spec.label is not None:
        catalog.class_index(workspace.db, spec.label)
        return
    if not spec.template.strip() and family_of(generator) == "diffusion":
        return
    prompted = generator.startswith(CONTEXT_PREFIX) or family_of(generator) in ("diffusion", AUGMENTATION)
    if prompted or ModelCard.read(find_model(generator).path).classes:
        raise UserError(
            f"give the class of the images, one of {', '.join(map(repr, workspace.classes))}; only an unconditional "
            "generator, or a diffusion model without a template, works without a class"
        )


def _check_start(spec: GenerationSpec, generator: str) -> None:
    if spec.start not in get_args(Start):
        raise UnknownName("start", spec.start, get_args(Start))
    if generator.startswith(CONTEXT_PREFIX):
        plain = generator.removeprefix(CONTEXT_PREFIX)
        raise UserError(f"the generator is {generator!r}; use {plain!r} with the start 'context' instead")
    if spec.start == "text" and (spec.strength is not None or spec.sources is not None):
        raise UserError("strength and sources need the start 'image', 'inpaint' or 'context'")
    if spec.strength is not None and not 0 < spec.strength <= 1:
        raise UserError(f"the strength is {spec.strength:g}; it must be above 0 and at most 1")
    if generator == AUGMENTATION:
        _check_augmentation(spec)


def _check_augmentation(spec: GenerationSpec) -> None:
    if spec.start != "image":
        raise UserError(
            "the generator 'augmentation' distorts real images; use it with the start 'image', "
            f"not {spec.start!r}"
        )
    if spec.strength is not None:
        raise UserError(f"the augmentation generator takes no strength; leave out the {spec.strength:g}")
    guided = spec.guidance is not None or spec.guidance_interval is not None or bool(spec.guidance_by_slot)
    if spec.steps is not None or guided or spec.compile:
        raise UserError(
            "the augmentation generator takes no steps and no guidance, and cannot be compiled; leave these out"
        )


def _slot_scales(template: Template, asked: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """The guidance scales with slot names as spelled in the template. Raises UserError for unknown slots or values."""
    known = {name.casefold(): name for name in template.slots}
    checked = {}
    for name, scales in asked.items():
        if name.casefold() not in known:
            raise UnknownName("slot", name, known.values())
        slot = known[name.casefold()]
        values = template.slots[slot]
        for value, scale in scales.items():
            if len(values) <= MAX_VALUES and value not in values:
                raise UnknownName(f"value of the slot {slot}", value, values)
            check_scale(scale)
        checked[slot] = {value: float(scale) for value, scale in scales.items()}
    return checked


def _source_ids(workspace: Workspace, spec: GenerationSpec) -> tuple[int, ...]:
    """Ids of the images to start from, in random order: those of the class, or all if no class is given."""
    wanted = None if spec.label is None else catalog.class_index(workspace.db, spec.label)
    held: Sequence[views.ViewImage | labels.LabeledImage]
    if spec.sources is None:
        held = labels.labeled_images(workspace.db, split="train", origin="real")
    else:
        held = views.members(workspace.db, views.by_name(workspace.db, spec.sources).id)
    found = list(
        dict.fromkeys(each.image_id for each in held if wanted is None or each.class_index == wanted)
    )
    if not found:
        where = "among the real training images" if spec.sources is None else f"in the view {spec.sources!r}"
        what = "image" if spec.label is None else f"image of the class {spec.label!r}"
        raise ViewError(f"there is no {what} {where} to start from; import some, or choose another view")
    Random(spec.seed).shuffle(found)  # noqa: S311
    return tuple(found)
