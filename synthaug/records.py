"""The small frozen records that stages, store and seams exchange. No behaviour lives here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Split = Literal["train", "test"]
Origin = Literal["real", "synthetic"]
LabelValue = Literal["class", "reject", "unsure", "undo"]
LabelSource = Literal["human", "accepted", "imported", "automatic"]
LabelReading = Literal["second", "settlement"]
"""An answer beside another person's, which it does not replace; what a reviewer said of readings that differ."""
JobState = Literal["queued", "running", "done", "failed", "cancelled"]
WindowFunction = Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]

Pixels = NDArray[np.uint8]
"""One RGB image, shape (H, W, 3), dtype uint8."""


@dataclass(frozen=True, slots=True)
class Window:
    """What is shown from black to white, in rescaled values (DICOM PS3.3 C.11.2.1.2 and .3)."""

    center: float
    width: float
    function: WindowFunction = "LINEAR"


@dataclass(frozen=True, slots=True)
class Display:
    """How a gray image is shown. Rescaled value = slope * stored value + intercept."""

    windows: tuple[Window, ...]  # at least one; the first is the default
    slope: float = 1.0
    intercept: float = 0.0
    inverted: bool = False  # high values are dark (MONOCHROME1)
    table: bytes = (
        b""  # a VOI LUT: stored value -> 0..255 before the inversion; the default where it is there
    )


@dataclass(frozen=True, slots=True)
class GrayImage:
    """A gray image at its full depth; ``acquisition`` says how it was taken, and nothing of whom."""

    values: NDArray[np.uint16]  # (H, W), 0 .. 2**bits - 1
    bits: int  # 1..16
    display: Display
    acquisition: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt of a template: its index in the expansion, its text, and the value of every slot."""

    index: int
    text: str
    slots: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """What one image is made from. Equal requests give equal pixels (see generators.base)."""

    prompt: str
    seed: int  # 0 .. 2**63 - 1
    guidance_scale: float | None = None  # None: the generator's own
    image: Pixels | None = field(
        default=None, compare=False
    )  # what to start from: image-to-image, inpainting
    mask: NDArray[np.bool_] | None = field(default=None, compare=False)  # (H, W), true where to draw anew
    strength: float | None = None  # 0 keeps ``image``, 1 draws it anew; None: the generator's own


@dataclass(frozen=True, slots=True)
class ImportItem:
    """One entry of a source: where it came from, its encoded bytes or pixels, and what is known of it."""

    path: str
    data: bytes | Pixels
    class_name: str | None
    split: Split | None = None
    caption: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    class_index: int | None = None  # where the source numbers its classes and names none
    rejected: str = ""  # why the importer could not read this entry; ``data`` is then empty


@dataclass(frozen=True, slots=True)
class ExportItem:
    """One image on its way out. ``provenance`` is JSON-ready (prompt, seed, who labeled it, ...)."""

    sha256: str
    pixels: Pixels
    class_index: int
    split: Split
    origin: Origin
    provenance: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """A stored image; ``sha256`` is the address of its pixels."""

    id: int
    sha256: str
    width: int
    height: int
    split: Split
    origin: Origin
    source: str


@dataclass(frozen=True, slots=True)
class LabelEntry:
    """One line to append to the label log.

    ``op_id`` names the operation, and is chosen by the client: the same entry again is a retry and is ignored,
    another entry with the same one is refused. ``undoes`` is the id of the log entry that a ``value="undo"``
    entry takes back. ``model_id`` is the model whose prediction the annotator saw. ``reason`` is why an owner
    corrects the label of a real test image, which is frozen otherwise.
    """

    image_id: int
    value: LabelValue
    annotator: str
    source: LabelSource
    op_id: str
    class_index: int | None = None
    undoes: int | None = None
    model_id: int | None = None
    reason: str | None = None
    created_at: str | None = None  # None: now
    reading: LabelReading | None = None  # None: an answer that replaces what was said before


@dataclass(frozen=True, slots=True)
class Job:
    """A row of the job table. ``done`` counts units of ``total``; ``note`` says what it is at."""

    id: int
    kind: str
    state: JobState
    params: Mapping[str, Any]
    done: int
    total: int
    note: str
    error: str
    result: Mapping[str, Any]
    created_at: str
    started_at: str | None
    finished_at: str | None
    cancel_requested: bool
