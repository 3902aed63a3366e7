"""The exporters of CIFAR-10's two formats (https://www.cs.toronto.edu/~kriz/cifar.html): Python and binary batches.

Images of another size are resized to 32 x 32 with antialiasing. The training split is divided into five batches in the
given order. Empty batches are written as well, because readers expect all six files.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from synthaug import cifar_pickle
from synthaug.errors import ExportFailed
from synthaug.exporters.base import checked, prepare
from synthaug.images import resize
from synthaug.records import ExportItem, Split

SIDE = 32
VALUES = 3 * SIDE * SIDE  # bytes of one image: its red plane, then green, then blue, row by row
TRAIN_BATCHES = 5
MAX_BATCH_IMAGES = (2**31 - 1) // VALUES  # pickle protocol 2 stores a length in a signed 32-bit integer


@dataclass(slots=True)
class _Images:
    """The images of one split in order; their planes are in one growing buffer, 3 KB per image."""

    planes: bytearray = field(default_factory=bytearray)
    labels: list[int] = field(default_factory=list)
    filenames: list[str] = field(default_factory=list)

    def add(self, item: ExportItem) -> None:
        """Append an image."""
        self.planes += resize(item.pixels, (SIDE, SIDE)).transpose(2, 0, 1).tobytes()
        self.labels.append(item.class_index)
        self.filenames.append(f"{item.sha256}.png")

    def data(self) -> NDArray[np.uint8]:
        """The planes of all images, (N, 3072) uint8."""
        return np.frombuffer(self.planes, dtype=np.uint8).reshape(-1, VALUES)


@dataclass(frozen=True, slots=True)
class _Batch:
    """One file: a slice of a split, and its label in the Python format."""

    file: str
    label: str
    images: _Images
    rows: slice


def _batches(items: Iterable[ExportItem]) -> list[_Batch]:
    splits: dict[Split, _Images] = {"train": _Images(), "test": _Images()}
    for item in items:
        splits[item.split].add(item)
    count = len(splits["train"].labels)
    ends = [round(count * batch / TRAIN_BATCHES) for batch in range(TRAIN_BATCHES + 1)]
    train = [
        _Batch(
            f"data_batch_{number}",
            f"training batch {number} of {TRAIN_BATCHES}",
            splits["train"],
            slice(start, stop),
        )
        for number, (start, stop) in enumerate(pairwise(ends), start=1)
    ]
    return [*train, _Batch("test_batch", "testing batch 1 of 1", splits["test"], slice(None))]


class CifarExporter:
    """Pickled Python batches with the structure of ``cifar-10-batches-py``; any number of classes."""

    name: ClassVar[str] = "cifar10"
    description: ClassVar[str] = (
        "CIFAR-10 Python batches (32 x 32), for torchvision and most training scripts"
    )

    def write(self, directory: Path, items: Iterable[ExportItem], class_names: Sequence[str]) -> None:
        prepare(directory, class_names)
        batches = _batches(checked(items, class_names))
        for batch in batches:
            labels = batch.images.labels[batch.rows]
            _refuse_long(batch.file, len(labels))
            content = {
                "batch_label": batch.label,
                "labels": labels,
                "data": batch.images.data()[batch.rows],
                "filenames": batch.images.filenames[batch.rows],
            }
            with (directory / batch.file).open("wb") as file:
                cifar_pickle.dump(content, file)
        meta = {
            "num_cases_per_batch": max(len(batch.images.labels[batch.rows]) for batch in batches[:-1]),
            "label_names": list(class_names),
            "num_vis": VALUES,
        }
        with (directory / "batches.meta").open("wb") as file:
            cifar_pickle.dump(meta, file)


def _refuse_long(file: str, images: int) -> None:
    if images > MAX_BATCH_IMAGES:
        raise ExportFailed(
            f"{file} would contain {images:,} images; a CIFAR Python batch contains at most {MAX_BATCH_IMAGES:,}. "
            "Use parquet or webdataset"
        )


class CifarBinaryExporter:
    """Binary batches as in ``cifar-10-batches-bin``: for each image one label byte and 3,072 pixel bytes."""

    name: ClassVar[str] = "cifar10-binary"
    description: ClassVar[str] = (
        "CIFAR-10 binary batches (32 x 32, up to 256 classes), for C++ and TensorFlow readers"
    )

    def write(self, directory: Path, items: Iterable[ExportItem], class_names: Sequence[str]) -> None:
        prepare(directory, class_names)
        _refuse_unwritable(class_names)
        for batch in _batches(checked(items, class_names)):
            data = batch.images.data()[batch.rows]
            labels = np.array(batch.images.labels[batch.rows], dtype=np.uint8)
            records = np.concatenate([labels[:, None], data], axis=1)
            (directory / f"{batch.file}.bin").write_bytes(records.data)
        lines = "".join(f"{name}\n" for name in class_names)
        (directory / "batches.meta.txt").write_bytes(lines.encode("utf-8"))


def _refuse_unwritable(class_names: Sequence[str]) -> None:
    """Raises ExportFailed unless a label fits into one byte and each class name into one line."""
    if len(class_names) > 256:
        raise ExportFailed(
            f"there are {len(class_names)} classes; CIFAR binary batches store a label in one byte, so at most 256. "
            "Use cifar10, folder, parquet or webdataset"
        )
    for name in class_names:
        if not name or "\n" in name or "\r" in name:
            raise ExportFailed(
                f"the class name {name!r} is empty or contains a line break, but batches.meta.txt has one name per "
                "line. Rename the class or use another format"
            )
