"""Settings for fine-tuning a text-to-image model, and their validation before anything is loaded."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal, get_args

from synthaug.errors import UserError
from synthaug.records import Pixels

Method = Literal["lora", "dreambooth", "full"]
Precision = Literal["auto", "no", "bf16", "fp16"]

SIDES = re.compile(r"\b(left|right|leftwards?|rightwards?|(?:anti|counter-?)?clockwise)\b", re.IGNORECASE)
SMALL_UNET = 100_000_000
"""Number of parameters below which a U-Net needs the larger learning rates of ``_RATES``."""

_RATES = {  # (train only an adapter, the U-Net is small) -> learning rate
    (True, False): 1e-4,
    (True, True): 5e-3,
    (False, False): 1e-5,
    (False, True): 2e-4,
}
_MAY_CHANGE = {"steps", "checkpoint_minutes"}


@dataclass(frozen=True, slots=True)
class FinetuneConfig:
    """Fine-tuning settings; ``steps`` may be raised later to continue from the same checkpoint.

    The method "lora" trains low-rank adapters of the attention projections (Hu et al. 2021). "dreambooth" trains one
    prompt for all images of a subject and preserves the subject's class with images that the base generates (Ruiz et
    al. 2022). "full" trains every weight of the U-Net.
    """

    method: Method = "lora"
    steps: int = 500
    batch_size: int = 4
    accumulate: int = 1  # batches whose gradients are accumulated for one step
    learning_rate: float | None = None  # None: chosen by method and size of the model
    rank: int = 16
    alpha: int | None = None  # the adapter's scale is alpha / rank; None: rank
    text_encoder: bool = False  # train the text encoder as well
    all_weights: bool = False  # DreamBooth without an adapter
    instance_prompt: str | None = None  # DreamBooth: names the subject by a rare word
    class_prompt: str | None = None  # DreamBooth: names the class of the subject
    class_images: int = 100
    prior_weight: float = 1.0
    resolution: int | None = None  # pixels; None: the native size of the model
    flip: bool = False  # mirror half of the images
    force_flip: bool = False  # mirror them even if captions mention left or right
    caption_dropout: float = 0.1  # share of empty captions, so that guidance keeps working
    min_snr_gamma: float | None = 5.0  # None: plain mean squared error
    ema_decay: float = 0.999  # used when all weights are trained; adapters are not averaged
    weight_decay: float = 0.01
    max_gradient_norm: float = 1.0
    precision: Precision = "auto"  # auto: the fastest that the device supports
    gradient_checkpointing: bool = False  # saves memory, but is a third slower
    checkpoint_minutes: float = 2.0
    seed: int = 0

    @property
    def adapter(self) -> bool:
        """Whether low-rank adapters are trained instead of the weights themselves."""
        return self.method == "lora" or (self.method == "dreambooth" and not self.all_weights)

    @property
    def keeps_class(self) -> bool:
        """Whether class images that the base generates are trained on alongside those of the subject."""
        return self.method == "dreambooth" and self.prior_weight > 0

    def rate(self, parameters: int) -> float:
        """The learning rate for a U-Net with this many parameters."""
        return self.learning_rate or _RATES[self.adapter, parameters < SMALL_UNET]

    def captions(self, captions: Sequence[str]) -> list[str]:
        """The caption with which each image is trained."""
        if self.method == "dreambooth":
            return [self.instance_prompt or ""] * len(captions)
        return list(captions)

    def fingerprint(self, images: Sequence[Pixels], captions: Sequence[str], revision: str) -> str:
        """SHA-256 over data, base and settings, except for settings that may change when a training is resumed."""
        settings = {name: value for name, value in asdict(self).items() if name not in _MAY_CHANGE}
        digest = hashlib.sha256(repr((settings, revision, list(captions))).encode())
        for pixels in images:
            digest.update(repr(pixels.shape).encode() + pixels.tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Validation:
    """Validation images, generated before the first step and after every ``every`` steps; one seed per prompt."""

    prompts: tuple[str, ...]
    seeds: tuple[int, ...]
    every: int
    keep: Callable[[int, list[Pixels]], None]  # called with the steps done and one image per prompt


def check_config(config: FinetuneConfig, captions: Sequence[str]) -> None:
    """Raises UserError for settings that cannot be trained with."""
    if config.method not in get_args(Method):
        raise UserError(f"there is no method {config.method!r}; choose one of {', '.join(get_args(Method))}")
    if config.precision not in get_args(Precision):
        raise UserError(
            f"there is no precision {config.precision!r}; choose one of {', '.join(get_args(Precision))}"
        )
    for name in ("steps", "batch_size", "accumulate", "rank", "class_images"):
        if (value := getattr(config, name)) < 1:
            raise UserError(f"{name} is {value}; it must be at least 1")
    if config.learning_rate is not None and not 0 < config.learning_rate <= 1:
        raise UserError(f"the learning rate is {config.learning_rate}; it must be above 0 and at most 1")
    if not 0 <= config.caption_dropout < 1:
        raise UserError(f"the caption dropout is {config.caption_dropout}; it must be at least 0 and below 1")
    if config.method == "dreambooth":
        _check_prompts(config)
    if config.flip and not config.force_flip:
        _check_sides(config.captions(captions))


def _check_prompts(config: FinetuneConfig) -> None:
    if not config.instance_prompt:
        raise UserError(
            "DreamBooth needs an instance prompt that names the subject by a rare word, "
            "such as 'a photo of a zwx cat'"
        )
    if config.keeps_class and not config.class_prompt:
        raise UserError(
            "DreamBooth needs a class prompt that names the class of the subject, such as 'a photo of a cat'; "
            "or set the prior weight to 0, which lets the model forget the rest of the class"
        )


def _check_sides(captions: Sequence[str]) -> None:
    sided = [each for each in captions if SIDES.search(each)]
    if sided:
        raise UserError(
            f"{len(sided)} of {len(captions)} captions mention a side, such as {sided[0]!r}, which would be wrong for "
            "a mirrored image; leave flips off, or force them"
        )
