"""The specification of a generation job, and the parameters that are fixed when it is queued."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, fields
from typing import Any, Literal

from synthaug.errors import UserError
from synthaug.executors.base import ExecutorSpec
from synthaug.generators.base import Interval
from synthaug.hardware import CPUFormat
from synthaug.stages.guidance import Guidance
from synthaug.templates import Duplicates

Start = Literal["text", "image", "inpaint", "context"]


@dataclass(frozen=True, slots=True)
class GenerationSpec:
    """The images to generate. :func:`.generation_params.resolve` checks the values.

    ``template`` is a prompt template (:mod:`synthaug.templates`). ``label`` is the class of the images; only an
    unconditional generator accepts None. ``count`` is the number of images. ``generator`` is a shipped name, a folder
    or a hub id; None stands for the shipped generator of the workspace's preset. ``steps`` is the number of denoising
    steps, 1 .. 1000; None stands for the generator's default. The same ``seed`` gives the same images.

    ``guidance`` is a scale in 0 .. 100, or the ends of a range from which a scale is drawn for each image; None stands
    for the generator's default. ``guidance_by_slot`` maps slot -> value -> scale and takes precedence.
    ``guidance_interval`` are the shares of the steps, 0 .. 1, between which guidance applies (Stable Diffusion only);
    None stands for the generator's default.

    ``slots`` maps slots to their values. For ``duplicates`` and ``stratify`` see :func:`.generation_plan.PromptOrder`.

    ``retired`` maps slots to values that are left out; None stands for those that the workspace has retired
    (:mod:`.retire`).

    ``start`` is "text" (from noise) or a way to use an image of the class from the view ``sources`` (None: the real
    training images): "image" varies it, "inpaint" replaces its background, and "context" moves its subject to another
    place and background. ``strength`` says how much of that image changes, above 0 and at most 1.

    ``compile`` compiles the denoiser first, which pays off for long jobs on a GPU.

    ``cpu_format`` is the number format of a diffusion model on a CPU; None stands for the faster one of the machine
    that queues the job. Accelerators have formats of their own.
    """

    template: str
    label: str | None
    count: int
    _: KW_ONLY
    generator: str | None = None
    steps: int | None = None
    guidance: Guidance | None = None
    guidance_by_slot: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    seed: int = 0
    slots: Mapping[str, Sequence[str]] = field(default_factory=dict)
    duplicates: Duplicates = "keep"
    stratify: str | None = None
    retired: Mapping[str, Sequence[str]] | None = None
    start: Start = "text"
    strength: float | None = None
    sources: str | None = None
    compile: bool = False
    cpu_format: CPUFormat | None = None
    guidance_interval: Interval | None = None

    def __post_init__(self) -> None:
        """Convert sequences to tuples and scales to floats, so that equal specifications compare equal."""
        object.__setattr__(self, "slots", {slot: tuple(values) for slot, values in self.slots.items()})
        if self.retired is not None:
            listed = {slot: tuple(values) for slot, values in self.retired.items()}
            object.__setattr__(self, "retired", listed)
        if isinstance(self.guidance, Sequence):
            low, high = self.guidance
            object.__setattr__(self, "guidance", (float(low), float(high)))
        elif self.guidance is not None:
            object.__setattr__(self, "guidance", float(self.guidance))
        if self.guidance_interval is not None:
            start, stop = self.guidance_interval
            object.__setattr__(self, "guidance_interval", (float(start), float(stop)))

    def to_json(self) -> dict[str, Any]:
        """The specification as JSON; ``from_json`` restores it."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        if isinstance(self.guidance, tuple):
            values["guidance"] = list(self.guidance)
        if self.guidance_interval is not None:
            values["guidance_interval"] = list(self.guidance_interval)
        values["slots"] = {slot: list(listed) for slot, listed in self.slots.items()}
        if self.retired is not None:
            values["retired"] = {slot: list(listed) for slot, listed in self.retired.items()}
        values["guidance_by_slot"] = {slot: dict(scales) for slot, scales in self.guidance_by_slot.items()}
        return values

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> GenerationSpec:
        """Restore a specification; missing settings get their defaults. Raises UserError for an unknown setting."""
        unknown = sorted(data.keys() - {each.name for each in fields(cls)})
        if unknown:
            raise UserError(
                f"this version of synthaug has no generation setting {unknown[0]!r}; upgrade synthaug"
            )
        return cls(**data)


@dataclass(frozen=True, slots=True)
class GenerationParams:
    """The parameters of a queued job, which later changes to the workspace or to word lists do not affect.

    ``spec`` is the specification without ``sources``, which ``source_ids`` replaces. ``generator`` is the resolved
    name. ``prompts`` is the number of prompts of the template. ``source_ids`` are the ids of the images to start from,
    in order; None means a start from text. ``size`` is the (width, height) of the real images in pixels, which
    generated images must have in order to train together with them; None stands for the generator's native size.
    ``executor`` says who generates; the images do not depend on it.
    """

    spec: GenerationSpec
    generator: str
    prompts: int
    source_ids: tuple[int, ...] | None
    size: tuple[int, int] | None
    executor: ExecutorSpec = field(default_factory=ExecutorSpec)

    def to_json(self) -> dict[str, Any]:
        """The parameters as flat JSON for the job table; ``sources`` holds the image ids (the format since 0.1)."""
        return {
            **self.spec.to_json(),
            "generator": self.generator,
            "prompts": self.prompts,
            "sources": None if self.source_ids is None else list(self.source_ids),
            "size": None if self.size is None else list(self.size),
            **({} if self.executor == ExecutorSpec() else {"executor": self.executor.to_json()}),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> GenerationParams:
        """Restore the parameters of a job queued by this or an earlier release. Raises UserError."""
        missing = [
            key for key in ("template", "label", "count", "generator", "prompts", "size") if key not in data
        ]
        if missing:
            raise UserError(
                f"the parameters of the generation job lack {missing[0]!r}; synthaug did not write them"
            )
        known = ("prompts", "sources", "size", "executor")
        asked = {key: value for key, value in data.items() if key not in known}
        sources, size = data.get("sources"), data["size"]
        return cls(
            GenerationSpec.from_json(asked),
            data["generator"],
            data["prompts"],
            None if sources is None else tuple(sources),
            None if size is None else (size[0], size[1]),
            ExecutorSpec(**data.get("executor", {})),
        )
