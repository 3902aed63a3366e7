"""How a text-to-image model is fine-tuned, and what is refused before anything is loaded."""

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
"""Parameters. Below it a model learns at larger rates: those for Stable Diffusion would take it hours."""

_RATES = {  # (only an adapter is trained, the U-Net is small) -> learning rate
    (True, False): 1e-4,
    (True, True): 5e-3,
    (False, False): 1e-5,
    (False, True): 2e-4,
}
_MAY_CHANGE = {"steps", "checkpoint_minutes"}


@dataclass(frozen=True, slots=True)
class FinetuneConfig:
    """How a model is fine-tuned; ``steps`` may be raised later to train on from the same checkpoint.

    ``lora``: low-rank adapters on the attention projections (Hu et al. 2021). ``dreambooth``: one prompt for all
    images, and the class of the subject kept by images that the base itself draws (Ruiz et al. 2022).
    ``full``: every weight of the U-Net.
    """

    method: Method = "lora"
    steps: int = 500
    batch_size: int = 4
    accumulate: int = 1  # batches whose gradients make one step
    learning_rate: float | None = None  # None: by method and size of the model
    rank: int = 16
    alpha: int | None = None  # the adapter's scale is alpha / rank; None: rank
    text_encoder: bool = False  # train it as well
    all_weights: bool = False  # DreamBooth without an adapter
    instance_prompt: str | None = None  # DreamBooth: the subject, with a word of its own
    class_prompt: str | None = None  # DreamBooth: what the subject is one of
    class_images: int = 100
    prior_weight: float = 1.0
    resolution: int | None = None  # pixels; None: what the model draws
    flip: bool = False
    force_flip: bool = False  # although captions have sides
    caption_dropout: float = 0.1  # share of empty captions, so that guidance keeps working
    min_snr_gamma: float | None = 5.0  # None: plain mean squared error
    ema_decay: float = 0.999  # of all weights; an adapter has no average
    weight_decay: float = 0.01
    max_gradient_norm: float = 1.0
    precision: Precision = "auto"  # auto: what the device multiplies fast
    gradient_checkpointing: bool = False  # less memory, a third slower
    checkpoint_minutes: float = 2.0
    seed: int = 0

    @property
    def adapter(self) -> bool:
        """Whether low-rank adapters are trained, and not the weights themselves."""
        return self.method == "lora" or (self.method == "dreambooth" and not self.all_weights)

    @property
    def keeps_class(self) -> bool:
        """Whether images of the class, drawn by the base, are trained on beside the subject's."""
        return self.method == "dreambooth" and self.prior_weight > 0

    def rate(self, parameters: int) -> float:
        """The learning rate for a U-Net with this many parameters."""
        return self.learning_rate or _RATES[self.adapter, parameters < SMALL_UNET]

    def captions(self, captions: Sequence[str]) -> list[str]:
        """What each image is trained on."""
        if self.method == "dreambooth":
            return [self.instance_prompt or ""] * len(captions)
        return list(captions)

    def fingerprint(self, images: Sequence[Pixels], captions: Sequence[str], revision: str) -> str:
        """Identifies data, base and settings; settings that may change on the way are left out."""
        settings = {name: value for name, value in asdict(self).items() if name not in _MAY_CHANGE}
        digest = hashlib.sha256(repr((settings, revision, list(captions))).encode())
        for pixels in images:
            digest.update(repr(pixels.shape).encode() + pixels.tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Validation:
    """Pictures on the way: prompt i with seed ``seeds[i]``, before the first step and after every ``every``."""

    prompts: tuple[str, ...]
    seeds: tuple[int, ...]
    every: int
    keep: Callable[[int, list[Pixels]], None]  # given the steps done and one image a prompt


def check_config(config: FinetuneConfig, captions: Sequence[str]) -> None:
    """Refuse settings that cannot be trained with. Raises UserError."""
    if config.method not in get_args(Method):
        raise UserError(f"no method {config.method!r}; there is: {', '.join(get_args(Method))}")
    if config.precision not in get_args(Precision):
        raise UserError(f"no precision {config.precision!r}; there is: {', '.join(get_args(Precision))}")
    for name in ("steps", "batch_size", "accumulate", "rank", "class_images"):
        if (value := getattr(config, name)) < 1:
            raise UserError(f"{name} is {value}; it must be at least 1")
    if config.learning_rate is not None and not 0 < config.learning_rate <= 1:
        raise UserError(f"the learning rate is {config.learning_rate}; it must lie above 0 and at most at 1")
    if not 0 <= config.caption_dropout < 1:
        raise UserError(f"the caption dropout is {config.caption_dropout}; it must lie in 0 .. 1, below 1")
    if config.method == "dreambooth":
        _check_prompts(config)
    if config.flip and not config.force_flip:
        _check_sides(config.captions(captions))


def _check_prompts(config: FinetuneConfig) -> None:
    if not config.instance_prompt:
        raise UserError(
            "DreamBooth needs an instance prompt that names the subject by a word of its own, "
            "such as 'a photo of a zwx cat'"
        )
    if config.keeps_class and not config.class_prompt:
        raise UserError(
            "DreamBooth needs a class prompt that says what the subject is one of, such as 'a photo of a cat'; "
            "or a prior weight of 0, which lets the model forget the rest of the class"
        )


def _check_sides(captions: Sequence[str]) -> None:
    sided = [each for each in captions if SIDES.search(each)]
    if sided:
        raise UserError(
            f"{len(sided)} of {len(captions)} captions have sides, such as {sided[0]!r}: a flipped image would be "
            "captioned wrongly. Leave flips off, or force them"
        )
