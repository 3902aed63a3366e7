"""Small frozen records that stages, store and plug-in packages exchange; they have no behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

import numpy as np
from numpy.typing import NDArray

Split = Literal["train", "test"]
Origin = Literal["real", "synthetic"]
Framing = Literal["squeezed", "padded"]
"""How an image that is not square becomes one: stretched to fit, or whole in the middle, between black bars."""
LabelValue = Literal["class", "reject", "unsure", "undo"]
LabelSource = Literal["human", "accepted", "imported", "automatic"]
PEOPLE: tuple[LabelSource, ...] = ("human", "accepted")
"""Sources of labels that a person gave."""
LabelReading = Literal["second", "settlement"]
"""A second reading, which does not replace that of another person, or the settlement of a conflict by a reviewer."""
JobState = Literal["queued", "running", "done", "failed", "cancelled"]
WindowFunction = Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]

Pixels = NDArray[np.uint8]
"""One RGB image, shape (H, W, 3), dtype uint8."""

Json = Mapping[str, Any]
"""A JSON object of a table or a file; the module that writes it has a record that reads it (parsing.JsonRecord)."""

Environment = Mapping[str, str | int | float | None]
"""The versions, hardware and command with which a result was obtained; see running.environment."""


class ImagePlace(TypedDict):
    """Where a workspace's images are: a folder, and the URL that it is the cache of, or ""."""

    folder: str
    url: str


@dataclass(frozen=True, slots=True)
class Window:
    """The range of rescaled values that is displayed from black to white (DICOM PS3.3 C.11.2.1.2 and .3)."""

    center: float
    width: float
    function: WindowFunction = "LINEAR"


@dataclass(frozen=True, slots=True)
class Display:
    """Display settings of a gray image. Rescaled value = slope * stored value + intercept."""

    windows: tuple[Window, ...]  # at least one; the first is the default
    slope: float = 1.0
    intercept: float = 0.0
    inverted: bool = False  # high values are dark (MONOCHROME1)
    table: bytes = (
        b""  # VOI LUT, stored value -> 0..255 before the inversion; if present, used instead of a window
    )


@dataclass(frozen=True, slots=True)
class GrayImage:
    """A gray image at full depth; ``acquisition`` describes how it was taken, without any patient data."""

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
    """The inputs for one generated image. Equal requests give equal pixels (see generators.base)."""

    prompt: str
    seed: int  # 0 .. 2**63 - 1
    guidance_scale: float | None = None  # None: the generator's default
    image: Pixels | None = field(
        default=None, compare=False
    )  # starting image, for image-to-image and inpainting
    mask: NDArray[np.bool_] | None = field(
        default=None, compare=False
    )  # (H, W), true where to replace the image
    strength: float | None = None  # 0 keeps ``image``, 1 replaces it; None: the generator's default


@dataclass(frozen=True, slots=True)
class ImportItem:
    """One entry of an import source: its path, its encoded bytes or pixels, and its labels and metadata."""

    path: str
    data: bytes | Pixels
    class_name: str | None
    split: Split | None = None
    caption: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    class_index: int | None = None  # for a source that has class indices but no names
    rejected: str = ""  # why the importer could not read this entry; ``data`` is then empty


class LandmarkProvenance(TypedDict):
    """The fields of :class:`Landmarks`, and the caption that gives its angles, if the scheme has one."""

    scheme: str
    revision: str
    points: Mapping[str, tuple[float, ...]]
    angles: Mapping[str, float]
    caption: str | None


class Provenance(TypedDict, total=False):
    """Where an exported image comes from. A field is missing if it does not apply, such as the prompt of a photograph.

    The names are stored in manifests, which later releases read.
    """

    source: str
    caption: str
    prompt: str
    slots: Mapping[str, str]
    seed: int
    generator: str
    revision: str  # of the generator
    prompted_class: str | None
    annotator: str
    label_source: str
    labeled_at: str
    landmarks: LandmarkProvenance


@dataclass(frozen=True, slots=True)
class ExportItem:
    """One image to export. ``provenance`` has the fields of :class:`Provenance`; older manifests may have others."""

    sha256: str
    pixels: Pixels
    class_index: int
    split: Split
    origin: Origin
    provenance: Mapping[str, object] = field(default_factory=dict)
    film: GrayImage | None = None  # at its full depth, for formats that hold it; ``pixels`` are its picture


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """A stored image; ``sha256`` is the hash of its pixels, by which it is addressed."""

    id: int
    sha256: str
    width: int
    height: int
    split: Split
    origin: Origin
    source: str


@dataclass(frozen=True, slots=True)
class Landmarks:
    """The landmarks of an image by a landmark scheme, or only the angles if the points are unknown.

    Points are in pixels of the full image, (x, y) or (x, y, radius) for circles; the centre of the upper left pixel is
    (0.5, 0.5).
    """

    scheme: str
    revision: str  # of the scheme
    points: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    angles: Mapping[str, float] = field(default_factory=dict)  # degrees


@dataclass(frozen=True, slots=True)
class LabelEntry:
    """One entry to append to the label log.

    The client chooses ``op_id`` to identify the operation: repeating the same entry is a retry and has no effect,
    whereas a different entry with the same ``op_id`` is refused. ``undoes`` is the id of the log entry that an entry
    with ``value="undo"`` takes back. ``model_id`` is the model whose prediction the annotator saw. ``reason`` is why
    an owner corrects the label of a real test image, which is otherwise frozen. ``landmarks`` come with a class.
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
    landmarks: Landmarks | None = None
    reading: LabelReading | None = None  # None: a label that replaces the earlier one


@dataclass(frozen=True, slots=True)
class Job:
    """A row of the job table. ``done`` of ``total`` units are finished; ``note`` describes the current work.

    The records of ``params`` and ``result`` of each kind are in stages.job_records.
    """

    id: int
    kind: str
    state: JobState
    params: Json
    done: int
    total: int
    note: str
    error: str
    result: Json
    created_at: str
    started_at: str | None
    finished_at: str | None
    cancel_requested: bool
