"""Settings of the hip experiment at each scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, TypedDict

from synthaug.classifiers.recipes import Recipe
from synthaug.errors import UnknownName, UserError
from synthaug.experiments.arms import check_updates
from synthaug.experiments.base import ScaleName, Updates
from synthaug.generator_training.finetuning_config import Method
from synthaug.importers.hip.angles import NORMAL_ANGLE


class Finetuning(TypedDict):
    """Arguments of :func:`synthaug.stages.finetune.submit`."""

    base: str
    method: Method
    steps: int
    batch_size: int
    accumulate: int
    learning_rate: float | None
    text_encoder: bool
    resolution: int | None


@dataclass(frozen=True, slots=True)
class HipSettings:
    """Settings of one scale; every field except the recipe can be set as an option of the experiment."""

    recipe: Recipe  # of every regressor
    phantom: str  # source to import if the user gives no data
    generator: str  # the model to fine-tune
    method: Method
    steps: int  # of fine-tuning
    batch_size: int
    accumulate: int
    generated: int  # images
    reader_images: int  # phantoms that the stand-in reader learns from
    reader_epochs: int
    seeds: int
    learning_rate: float | None = None  # of fine-tuning; None: by the size of the model
    text_encoder: bool = False  # fine-tune the text encoder as well
    resolution: int | None = None  # of fine-tuning, in pixels; None: the native size of the model
    drawing_steps: int | None = None  # denoising steps; None: the generator's default
    guidance: float | None = None
    epochs: int | None = None  # of the regressors; None: the recipe's
    updates: Updates = "equal"  # of each arm; see ``Plan``
    threshold: float = NORMAL_ANGLE  # angle of the worse side in degrees from which a dog is "Big"
    corrections: str | None = None  # path of a table image,left,right corrected by a person, for own data
    reduction: str = ""

    @property
    def trained_with(self) -> Recipe:
        """The recipe with the requested number of epochs."""
        return self.recipe if self.epochs is None else self.recipe.for_epochs(self.epochs)

    @property
    def reader_recipe(self) -> Recipe:
        """The recipe of the stand-in reader: the same network, with its own number of epochs."""
        return self.recipe.for_epochs(self.reader_epochs)

    @property
    def finetuning(self) -> Finetuning:
        """The settings that determine the fine-tuned generator."""
        return {
            "base": self.generator,
            "method": self.method,
            "steps": self.steps,
            "batch_size": self.batch_size,
            "accumulate": self.accumulate,
            "learning_rate": self.learning_rate,
            "text_encoder": self.text_encoder,
            "resolution": self.resolution,
        }


_SMALL = Recipe(
    name="hip-small",
    network="small_cnn",
    epochs=40,
    batch_size=32,
    optimizer="adamw",
    lr=5e-3,
    weight_decay=1e-2,
    schedule="one-cycle",
    warmup_epochs=8,
    crop_padding=2,  # no flips, since they would swap left and right
    cpu_threads=1,
)

SCALES: Mapping[ScaleName, HipSettings] = {
    "smoke": HipSettings(
        recipe=replace(_SMALL, name="hip-smoke").for_epochs(3),
        phantom="hip-phantom:train=48,test=24,size=32,short=1",
        generator="embedded",
        method="lora",
        steps=20,
        batch_size=4,
        accumulate=1,
        generated=24,
        drawing_steps=4,
        reader_images=96,
        reader_epochs=3,
        seeds=3,
        reduction="20 steps of adapters on the embedded generator, "
        "24 generated images, 3 epochs of a small network: it tests that every step works; the numbers are meaningless",
    ),
    "cpu": HipSettings(
        recipe=_SMALL,
        phantom="hip-phantom:size=32,short=1",
        generator="embedded",
        method="full",
        steps=3000,
        batch_size=8,
        text_encoder=True,
        accumulate=1,
        generated=600,
        guidance=2.0,
        reader_images=4000,
        reader_epochs=25,
        seeds=5,
        reduction="32 pixels, the embedded generator (10.7 million "
        "parameters) instead of Stable Diffusion 1.5, 600 generated images instead of 10,000, and a network of 240,000 "
        "parameters instead of EfficientNet-B7",
    ),
    # Fine-tuning is as published; for the regressor, the network, Adam and the learning rate are.
    "full": HipSettings(
        recipe=Recipe(
            name="hip-efficientnet-b7",
            network="efficientnet_b7",
            epochs=50,
            batch_size=8,
            optimizer="adamw",
            lr=1e-3,
            warmup_epochs=2,
            gradient_clip=1.0,
            crop_padding=16,
            image_size=512,
            mixed_precision=True,
        ),
        phantom="hip-phantom:size=512",
        generator="stable-diffusion-v1-5/stable-diffusion-v1-5",
        method="full",
        steps=1000,
        batch_size=1,
        accumulate=4,
        learning_rate=1e-5,
        resolution=512,
        generated=10_000,
        reader_images=4000,
        reader_epochs=20,
        seeds=5,
    ),
}


def hip_settings(scale: ScaleName, options: Mapping[str, Any]) -> HipSettings:
    """The settings of a scale, with fields replaced by ``options``, whose text is converted. Raises UserError."""
    if scale not in SCALES:
        raise UnknownName("scale", scale, SCALES)
    chosen = SCALES[scale]
    known = sorted(set(asdict(chosen)) - {"recipe", "reduction"})
    for name, value in options.items():
        if name not in known:
            raise UnknownName("option", name, known)
        chosen = replace(chosen, **{name: _converted(name, value)})
    check_updates(chosen.updates)
    return chosen


_TEXTS = ("phantom", "generator", "method", "corrections", "updates")
_FLOATS = ("learning_rate", "guidance", "threshold")


def _converted(name: str, value: Any) -> Any:
    if not isinstance(value, str) or name in _TEXTS:
        return value
    try:
        return float(value) if name in _FLOATS else int(value)
    except ValueError as error:
        raise UserError(f"--option {name}={value}: {value!r} is not a number") from error
