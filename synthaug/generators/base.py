"""The interface of image generators, and the card (``synthaug.json``) that describes a model folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Protocol

from synthaug.parsing import JsonObject, read_json
from synthaug.records import GenerationRequest, Pixels

CARD_NAME = "synthaug.json"

ShouldCancel = Callable[[], bool]

Interval = tuple[float, float]
"""From one share of the denoising steps, 0..1, to another; the step at the second share is not part of it."""
EVERY_STEP: Interval = (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """Everything besides prompt and seed that determines the pixels; stored with every image."""

    num_inference_steps: int
    guidance_scale: float
    batch_size: int  # images denoised together
    output_size: tuple[int, int]  # width, height in pixels
    scheduler: str
    device: str  # "cpu", "cuda", ...
    dtype: str  # "float32", "float16", ...
    guidance_interval: Interval = EVERY_STEP  # in which guidance applies


@dataclass(frozen=True, slots=True)
class GeneratedImage:
    """One generated image, with the larger version it was downsampled from and the part of its prompt not read."""

    pixels: Pixels
    review: Pixels | None = None  # the image at full size, where it was downsampled for delivery
    cut: str = ""  # the end of the prompt, beyond the length limit of the text encoder
    details: Mapping[str, object] = field(
        default_factory=dict
    )  # what else determined the pixels; becomes JSON


class Generator(Protocol):
    """Generates images from prompts and seeds.

    The same prompt, seed and settings give the same pixels, whatever the number and order of the other requests:
    bit for bit on a CPU with the same number of threads, up to rounding on an accelerator.
    """

    @property
    def name(self) -> str:
        """The name it was loaded by: "embedded", a path or a hub id."""

    @property
    def revision(self) -> str:
        """SHA-256 over the files of the model, or its hub commit."""

    @property
    def image_size(self) -> tuple[int, int]:
        """Width and height of the generated images in pixels."""

    @property
    def settings(self) -> GenerationSettings:
        """The settings in use."""

    def generate(
        self, requests: Sequence[GenerationRequest], should_cancel: ShouldCancel = ...
    ) -> list[GeneratedImage]:
        """One image per request, in order.

        Raises Cancelled within one denoising step after ``should_cancel()`` becomes true, and UserError for a request
        that the generator cannot fulfil.
        """

    def describe(self) -> ModelCard:
        """What is known about the model; unknown fields are empty."""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """The description of a model in its folder's ``synthaug.json``; every field may be left out."""

    name: str = ""
    family: str = "diffusion"  # a key of generators.FAMILIES
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    batch_size: int | None = None
    output_size: tuple[int, int] | None = None  # width, height in pixels
    classes: tuple[str, ...] = ()  # the classes it can draw, in words, where known
    words: tuple[str, ...] = ()  # other words its captions used, where known
    base: str = ""  # for an adapter: the model it was trained on, as a shipped name, a path or a hub id
    trained_on: str = ""  # data, time and hardware, in a sentence
    figures: JsonObject = field(default_factory=dict)  # results of benchmarks/generator_card.py
    guidance_interval: Interval | None = None  # the steps in which guidance applies

    def write(self, folder: Path) -> None:
        """Write the card to ``synthaug.json`` in a model folder."""
        (folder / CARD_NAME).write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> ModelCard:
        """The card of a model folder; an empty card if there is none. Raises UserError for a malformed one."""
        path = folder / CARD_NAME
        if not path.exists():
            return cls()
        return read_json(cls, path, unknown="forbid")
