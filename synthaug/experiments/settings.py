"""Settings that the experiments on labeled images share: data, recipe, seeds and generator of each scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Literal

from synthaug.classifiers.recipes import Recipe, Selection, find_recipe
from synthaug.config import DIGIT_WORDS, DIGITS
from synthaug.errors import UnknownName, UserError
from synthaug.experiments.arms import check_updates
from synthaug.experiments.base import GeneratorData, ScaleName, Updates
from synthaug.generators.folders import SHIPPED
from synthaug.stages.generation_spec import GenerationSpec

Guidance = float | tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one scale; every field except the recipe can be set as an option of the experiment."""

    data: str | None  # source to import; None: the user must give it
    preset: str
    minority: str  # the class that is made rare
    fraction: float | None  # share of every class that is used
    recipe: Recipe
    seeds: int
    generator: str
    steps: int | None = None  # of the generator; None: its default
    guidance: Guidance = None
    epochs: int | None = None  # of the classifier; None: the recipe's
    generator_data: Literal["full", "view"] = "full"  # "view": train generators only on the arm's real images
    updates: Updates = "equal"  # of each arm; see ``Plan``
    selection: Selection = "last"  # of the epoch; some papers select by "test"
    reduction: str = ""  # may contain {share}, {epochs} and {seeds}, which are filled in

    @property
    def seen(self) -> GeneratorData:
        """Training data of ``generator``: the shipped ones were trained on all real images of their dataset."""
        return "full" if self.generator in SHIPPED else "other"

    @property
    def reduced(self) -> str:
        """How these settings are smaller than the published experiment, in a sentence."""
        share = f"{100 * (self.fraction or 1):g}%"
        return self.reduction.format(share=share, epochs=self.trained_with.epochs, seeds=self.seeds)

    @property
    def trained_with(self) -> Recipe:
        """The recipe with the requested epochs and selection."""
        chosen = replace(self.recipe, selection=self.selection)
        return chosen if self.epochs is None else chosen.for_epochs(self.epochs)

    def generation(self, class_name: str, count: int) -> GenerationSpec:
        """A job of ``count`` images of a class, from a template of diverse prompts."""
        return GenerationSpec(
            template(self.preset, class_name),
            class_name,
            count,
            generator=self.generator,
            steps=self.steps,
            guidance=self.guidance,
        )


SMOKE = Settings(
    data="digits",
    preset="digits",
    minority="8",
    fraction=0.25,
    recipe=find_recipe("digits"),
    seeds=2,
    generator="digits",
    steps=4,
    epochs=3,
    reduction="{share} of scikit-learn's digits instead of CIFAR-10 and {epochs} epochs of a small network: it tests "
    "that every step works; the numbers are meaningless",
)
CPU = Settings(
    data=None,
    preset="cifar10",
    minority="cat",
    fraction=0.2,
    recipe=find_recipe("cifar10-fast"),
    seeds=3,
    generator="embedded",
    guidance=(2.0, 5.0),
    epochs=5,
    reduction="{share} of the images, {epochs} epochs of a network of airbench's size instead of ResNet-18, {seeds} "
    "seeds, and the embedded generator (32 px, 10.7 million parameters) instead of the published ones",
)


class OnImages:
    """Base of the experiments on labeled images: holds the settings of a scale."""

    name: ClassVar[str]
    scales: ClassVar[Mapping[ScaleName, Settings]]

    def __init__(self, scale: ScaleName, data: str | None = None, **options: Any) -> None:
        """``options`` are fields of ``Settings``. Raises UserError."""
        self.scale = scale
        self.settings = settings(self.scales, scale, data, options)
        self.prefix = f"{self.name}-{scale}"  # of the names of its views

    @property
    def preset(self) -> str:
        """The preset of a workspace created for this experiment."""
        return self.settings.preset

    @property
    def reduction(self) -> str:
        """How this scale is smaller than the published experiment."""
        return self.settings.reduced


def settings(
    scales: Mapping[ScaleName, Settings], scale: ScaleName, data: str | None, options: Mapping[str, Any]
) -> Settings:
    """The settings of a scale, with fields replaced by ``options``, whose text is converted. Raises UserError."""
    if scale not in scales:
        raise UnknownName("scale", scale, scales)
    chosen = scales[scale]
    if data is not None:
        chosen = replace(chosen, data=data)
    for name, value in options.items():
        chosen = replace(chosen, **{name: _converted(name, value)})
    if chosen.generator_data not in ("full", "view"):
        raise UnknownName("generator_data", chosen.generator_data, ("full", "view"))
    check_updates(chosen.updates)
    return chosen


def class_word(class_name: str) -> str:
    """The word for a class in a prompt: "eight" for the class "8", and the class name for other classes."""
    return DIGIT_WORDS[DIGITS.index(class_name)] if class_name in DIGITS else class_name


def template(preset: str, class_name: str) -> str:
    """A template of diverse prompts for one class, in the vocabulary of the shipped generators."""
    if preset == "digits":
        return f"a <STROKE> handwritten digit {class_word(class_name)} <SLANT>"
    return f"{{|a dark |a bright }}photo of a {class_name}{{| on a {{white|gray|brown|green|blue|black}} background}}"


def _converted(name: str, value: Any) -> Any:
    known = {each.name: each.type for each in fields(Settings) if each.name not in ("recipe", "reduction")}
    if name not in known:
        raise UnknownName("option", name, sorted(known))
    if not isinstance(value, str):
        return value
    if name in ("data", "preset", "minority", "generator", "generator_data", "selection", "updates"):
        return value
    try:
        if name == "guidance":
            low, _, high = value.partition("..")
            return (float(low), float(high)) if high else float(low)
        return float(value) if name == "fraction" else int(value)
    except ValueError as error:
        raise UserError(f"--option {name}={value}: {value!r} is not a number") from error
