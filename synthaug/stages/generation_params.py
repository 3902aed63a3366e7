"""What a generation job is asked for: every choice checked before the job is queued."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Literal, get_args

from synthaug.config import DEFAULT_GENERATOR, FALLBACK_GENERATOR
from synthaug.errors import UnknownName, UserError, ViewError
from synthaug.generators import CONTEXT_PREFIX
from synthaug.generators.base import ModelCard
from synthaug.generators.folders import AUGMENTATION, family_of, find_model
from synthaug.stages.generation_plan import GUIDANCE_GRID, draw_prompts
from synthaug.store import catalog, labels, views
from synthaug.templates import Duplicates, Template
from synthaug.workspace import Workspace

Start = Literal["text", "image", "inpaint", "context"]

MAX_COUNT = 10_000_000
MOST_VALUES = 1_000_000  # of a slot, that one of them is looked up in

UNPROMPTED = "{|}"
"""The template of no prompt at all: two alternatives, both empty."""

LATER_PARAMS: Mapping[str, Any] = {
    "guidance_by_slot": {},
    "start": "text",
    "strength": None,
    "sources": None,
    "compile": False,
}
"""What jobs queued by 0.1 do not say."""


def checked_params(
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
    guidance_by_slot: Mapping[str, Mapping[str, float]] | None = None,
    start: Start = "text",
    strength: float | None = None,
    sources: str | None = None,
    compile: bool = False,
) -> dict[str, Any]:
    """The parameters of a job, JSON-ready; see :func:`synthaug.stages.generate.submit`. Raises UserError."""
    generator = generator or usual_generator(workspace)
    _check_label(workspace, label, generator, template)
    template = template if label is not None or template.strip() else UNPROMPTED
    if not 1 <= count <= MAX_COUNT:
        raise UserError(f"the number of images is {count}; it must lie in 1 .. {MAX_COUNT}")
    if steps is not None and not 1 <= steps <= 1000:
        raise UserError(f"the number of steps is {steps}; it must lie in 1 .. 1000")
    _check_start(generator, start, strength, sources)
    if generator == AUGMENTATION:
        _check_augmentation(start, strength, steps, guidance is not None or bool(guidance_by_slot), compile)
    parsed = Template.parse(template, slots)
    draw_prompts(parsed, 1, seed, duplicates, stratify)
    return {
        "template": template,
        # The lists as they are now: a word list edited later must not change a job that goes on.
        "slots": {name: list(values) for name, values in (slots or {}).items()},
        "prompts": parsed.count,
        "label": label,
        "count": count,
        "generator": generator,
        "steps": steps,
        "guidance": _checked_guidance(guidance),
        "guidance_by_slot": _checked_slot_guidance(parsed, guidance_by_slot or {}),
        "seed": seed,
        "duplicates": duplicates,
        "stratify": stratify,
        "start": start,
        "strength": strength,
        # Image ids, for the same reason.
        "sources": None if start == "text" else _source_ids(workspace, label, sources, seed),
        "compile": compile,
        "size": catalog.usual_size(workspace.db),  # what the real images have: both must train together
    }


def usual_generator(workspace: Workspace) -> str:
    """The shipped generator that draws what the workspace's preset is about."""
    return DEFAULT_GENERATOR.get(workspace.preset, FALLBACK_GENERATOR)


def _check_label(workspace: Workspace, label: str | None, generator: str, template: str) -> None:
    if label is not None:
        catalog.class_index(workspace.db, label)
        return
    if not template.strip() and family_of(generator) == "diffusion":
        return
    prompted = generator.startswith(CONTEXT_PREFIX) or family_of(generator) in ("diffusion", AUGMENTATION)
    if prompted or ModelCard.read(find_model(generator).path).classes:
        raise UserError(
            f"say which class the images are made for, one of {', '.join(map(repr, workspace.classes))}: "
            f"only an unconditional generator draws without one, or a diffusion model without a template"
        )


def _check_start(generator: str, start: str, strength: float | None, sources: str | None) -> None:
    if start not in get_args(Start):
        raise UnknownName("start", start, get_args(Start))
    if generator.startswith(CONTEXT_PREFIX):
        plain = generator.removeprefix(CONTEXT_PREFIX)
        raise UserError(f"the generator is {generator!r}; ask for {plain!r} with the start 'context'")
    if start == "text" and (strength is not None or sources is not None):
        raise UserError("a strength or sources are for a start from images: 'image', 'inpaint' or 'context'")
    if strength is not None and not 0 < strength <= 1:
        raise UserError(f"the strength is {strength:g}; it must lie above 0 and at most at 1")


def _check_augmentation(
    start: Start, strength: float | None, steps: int | None, guided: bool, compile: bool
) -> None:
    if start != "image":
        raise UserError(
            f"the generator 'augmentation' distorts real images; ask for it with the start 'image', not {start!r}"
        )
    if strength is not None:
        raise UserError(f"the augmentation generator takes no strength; {strength:g} was given, leave it out")
    if steps is not None or guided or compile:
        raise UserError(
            "the augmentation generator takes no steps, takes no guidance and has nothing to compile; leave them out"
        )


def _checked_guidance(guidance: float | tuple[float, float] | None) -> float | list[float] | None:
    if guidance is None:
        return None
    if isinstance(guidance, int | float):
        _check_scale(guidance)
        return float(guidance)
    low, high = guidance
    _check_scale(low)
    _check_scale(high)
    if high - low < GUIDANCE_GRID:
        raise UserError(
            f"the guidance range is {low:g} .. {high:g}; its end must lie {GUIDANCE_GRID} above its start, or more"
        )
    return [float(low), float(high)]


def _check_scale(guidance: float) -> None:
    if not 0 <= guidance <= 100:
        raise UserError(f"the guidance scale is {guidance}; it must lie in 0 .. 100")


def _checked_slot_guidance(
    template: Template, asked: Mapping[str, Mapping[str, float]]
) -> dict[str, dict[str, float]]:
    """The same by the template's own names of its slots."""
    known = {name.casefold(): name for name in template.slots}
    checked = {}
    for name, scales in asked.items():
        if name.casefold() not in known:
            raise UnknownName("slot", name, known.values())
        slot = known[name.casefold()]
        values = template.slots[slot]
        for value, scale in scales.items():
            if len(values) <= MOST_VALUES and value not in values:
                raise UnknownName(f"value of the slot {slot}", value, values)
            _check_scale(scale)
        checked[slot] = {value: float(scale) for value, scale in scales.items()}
    return checked


def _source_ids(workspace: Workspace, label: str | None, view: str | None, seed: int) -> list[int]:
    """The images to start from, in the order they are taken: those of the class (any, where none is asked for).

    They are a view's, or the real train images.
    """
    wanted = None if label is None else catalog.class_index(workspace.db, label)
    held: Sequence[views.ViewImage | labels.LabeledImage]
    if view is None:
        held = labels.labeled_images(workspace.db, split="train", origin="real")
    else:
        held = views.members(workspace.db, views.by_name(workspace.db, view).id)
    found = list(
        dict.fromkeys(each.image_id for each in held if wanted is None or each.class_index == wanted)
    )
    if not found:
        where = "among the real train images" if view is None else f"in the view {view!r}"
        what = "image" if label is None else f"image of the class {label!r}"
        raise ViewError(f"there is no {what} {where} to start from; import some, or name another view")
    Random(seed).shuffle(found)  # noqa: S311
    return found
