"""The generator seam: what every image generator promises, and what a model folder says of itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from synthaug.parsing import read_json
from synthaug.records import GenerationRequest, Pixels

CARD_NAME = "synthaug.json"

ShouldCancel = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """Everything but prompt and seed that decides the pixels; stored with every image."""

    num_inference_steps: int
    guidance_scale: float
    batch_size: int  # images denoised together
    output_size: tuple[int, int]  # width, height in pixels
    scheduler: str
    device: str  # "cpu", "cuda", ...
    dtype: str  # "float32", "float16", ...


@dataclass(frozen=True, slots=True)
class GeneratedImage:
    """One image, what it was downsampled from, and the end of its prompt that the model could not read."""

    pixels: Pixels
    review: Pixels | None = None  # full size, where the generator draws larger than it delivers
    cut: str = ""  # the part of the prompt beyond the text encoder's length
    details: Mapping[str, Any] = field(default_factory=dict)  # JSON-ready: what else decided these pixels


class Generator(Protocol):
    """Makes images from prompts and seeds.

    Equal prompt, seed and settings give equal pixels, wherever a request stands in a list of whatever length:
    bit for bit on a CPU with the same number of threads, up to rounding on an accelerator.
    """

    @property
    def name(self) -> str:
        """What it was loaded by: "embedded", a path or a hub id."""

    @property
    def revision(self) -> str:
        """SHA-256 over the model's files, or the hub commit."""

    @property
    def image_size(self) -> tuple[int, int]:
        """Width and height of ``pixels``."""

    @property
    def settings(self) -> GenerationSettings:
        """The settings in use."""

    def generate(
        self, requests: Sequence[GenerationRequest], should_cancel: ShouldCancel = ...
    ) -> list[GeneratedImage]:
        """One image a request, in order; ``Cancelled`` within a denoising step of ``should_cancel()``."""

    def describe(self) -> ModelCard:
        """What is known of the model; fields are empty where nothing is."""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a model folder says of itself in ``synthaug.json``; any field may be left out."""

    name: str = ""
    family: str = "diffusion"  # a key of generators.FAMILIES
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    batch_size: int | None = None
    output_size: tuple[int, int] | None = None  # width, height in pixels
    classes: tuple[str, ...] = ()  # the classes it can draw, in words, where known
    words: tuple[str, ...] = ()  # other words its captions used, where known
    base: str = ""  # the model that the adapter in this folder belongs to: a shipped name, a path or a hub id
    trained_on: str = ""  # data, time and hardware, in a sentence
    figures: Mapping[str, Any] = field(
        default_factory=dict
    )  # measured; written by benchmarks/generator_card.py

    def write(self, folder: Path) -> None:
        """Store the card in a model folder."""
        (folder / CARD_NAME).write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> ModelCard:
        """The card of a model folder, empty where there is none."""
        path = folder / CARD_NAME
        if not path.exists():
            return cls()
        return read_json(cls, path, unknown="forbid")
