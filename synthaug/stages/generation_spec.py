"""What is asked of a generation job, and what is frozen in it when it is queued."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, fields
from typing import Any, Literal

from synthaug.errors import UserError
from synthaug.stages.guidance import Guidance
from synthaug.templates import Duplicates

Start = Literal["text", "image", "inpaint", "context"]


@dataclass(frozen=True, slots=True)
class GenerationSpec:
    """Which images to make. Nothing is checked here; :func:`.generation_params.resolve` does.

    ``template``: a prompt template (:mod:`synthaug.templates`). ``label``: the class the images are made for; None
    only for a generator that draws without one. ``count``: how many images. ``generator``: a shipped name, a folder
    or a hub id; None: the shipped one that fits the workspace. ``steps``: denoising steps, 1 .. 1000; None: the
    generator's own. ``seed``: the same one gives the same images.

    ``guidance``: a scale in 0 .. 100, or the ends of a range from which each image's own is drawn; None: the
    generator's own. ``guidance_by_slot``: slot -> value -> scale, which wins over it.

    ``slots``: slot -> its values. ``duplicates`` and ``stratify``: as in :func:`.generation_plan.draw_prompts`.

    ``retired``: slot -> values that are left out; None: those that the workspace has retired (:mod:`.retire`).

    ``start``: from noise ("text"), or from an image of the class in the view ``sources`` (None: the real training
    images), which is redrawn as a whole ("image"), but for its subject ("inpaint"), or with its subject elsewhere on
    a new background ("context"). ``strength``: how much of that image is drawn anew, above 0 and at most 1.

    ``compile``: compile the denoiser first, which pays on a GPU.
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

    def __post_init__(self) -> None:
        """Sequences become tuples and scales floats, so that equal specs compare equal."""
        object.__setattr__(self, "slots", {slot: tuple(values) for slot, values in self.slots.items()})
        if self.retired is not None:
            listed = {slot: tuple(values) for slot, values in self.retired.items()}
            object.__setattr__(self, "retired", listed)
        if isinstance(self.guidance, Sequence):
            low, high = self.guidance
            object.__setattr__(self, "guidance", (float(low), float(high)))
        elif self.guidance is not None:
            object.__setattr__(self, "guidance", float(self.guidance))

    def to_json(self) -> dict[str, Any]:
        """JSON-ready; ``from_json`` gives the same spec back."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        if isinstance(self.guidance, tuple):
            values["guidance"] = list(self.guidance)
        values["slots"] = {slot: list(listed) for slot, listed in self.slots.items()}
        if self.retired is not None:
            values["retired"] = {slot: list(listed) for slot, listed in self.retired.items()}
        values["guidance_by_slot"] = {slot: dict(scales) for slot, scales in self.guidance_by_slot.items()}
        return values

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> GenerationSpec:
        """What an older release did not ask is at its default. Raises UserError for a setting not known here."""
        unknown = sorted(data.keys() - {each.name for each in fields(cls)})
        if unknown:
            raise UserError(f"this synthaug knows no generation setting {unknown[0]!r}; upgrade it")
        return cls(**data)


@dataclass(frozen=True, slots=True)
class GenerationParams:
    """What a queued job draws from, whatever changes in the workspace or in a word list later.

    ``spec``: as asked, but for ``sources``, which ``source_ids`` replaces. ``generator``: its name. ``prompts``: how
    many the template had. ``source_ids``: ids of the images to start from, in the order they are taken; None: from
    text. ``size``: (width, height) in pixels of the real images, which the generated ones must share to train
    together; None: the generator's own.
    """

    spec: GenerationSpec
    generator: str
    prompts: int
    source_ids: tuple[int, ...] | None
    size: tuple[int, int] | None

    def to_json(self) -> dict[str, Any]:
        """The parameters in the job table, flat as since 0.1: ``sources`` holds the image ids."""
        return {
            **self.spec.to_json(),
            "generator": self.generator,
            "prompts": self.prompts,
            "sources": None if self.source_ids is None else list(self.source_ids),
            "size": None if self.size is None else list(self.size),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> GenerationParams:
        """The parameters of a job that this release or an earlier one queued. Raises UserError."""
        missing = [
            key for key in ("template", "label", "count", "generator", "prompts", "size") if key not in data
        ]
        if missing:
            raise UserError(
                f"the parameters of a generation job lack {missing[0]!r}; they were not written by synthaug"
            )
        asked = {key: value for key, value in data.items() if key not in ("prompts", "sources", "size")}
        sources, size = data.get("sources"), data["size"]
        return cls(
            GenerationSpec.from_json(asked),
            data["generator"],
            data["prompts"],
            None if sources is None else tuple(sources),
            None if size is None else (size[0], size[1]),
        )
