"""The importer of CIFAR-10 and CIFAR-100 as published: Python or binary batches, in a folder or a ``.tar.gz``.

Format: https://www.cs.toronto.edu/~kriz/cifar.html. Pickles are read without executing anything in them, and archives
are read in place, without extracting them.
"""

from __future__ import annotations

import lzma
import tarfile
import zlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, ClassVar, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from synthaug import cifar_pickle
from synthaug.errors import ImportFailed
from synthaug.importers.base import Only
from synthaug.records import ImportItem, Pixels, Split

VALUES = 3072  # bytes of an image: 3 planes of 32 x 32
MAX_FILE_BYTES = 2**31  # the size that no pickle of protocol 2 reaches

_TRAIN = [f"data_batch_{number}" for number in range(1, 6)]


@dataclass(frozen=True, slots=True)
class _Layout:
    """One of the published layouts: its files and the names of its fields."""

    train: Sequence[str]  # files of the training batches
    test: str  # file of the test batch
    names: str  # file of the class names
    label_key: str = ""  # key of the labels in Python batches
    names_key: str = ""  # key of the class names in Python batches
    label_bytes: int = 1  # bytes of the labels of an image in binary batches; the last one is the class

    @property
    def files(self) -> list[tuple[str, Split]]:
        return [*((name, "train") for name in self.train), (self.test, "test")]

    @property
    def is_binary(self) -> bool:
        return not self.label_key


_LAYOUTS = (
    _Layout(_TRAIN, "test_batch", "batches.meta", "labels", "label_names"),
    _Layout(["train"], "test", "meta", "fine_labels", "fine_label_names"),
    _Layout([f"{name}.bin" for name in _TRAIN], "test_batch.bin", "batches.meta.txt"),
    _Layout(["train.bin"], "test.bin", "fine_label_names.txt", label_bytes=2),
)


class _Files(Protocol):
    """The files of the batches, in a folder or an archive."""

    @property
    def names(self) -> Collection[str]:
        """The names of the files, without folders."""

    def read(self, name: str) -> bytes:
        """The content of the file called ``name``."""


class _FolderFiles:
    """The files in a folder, or in the folder within it to which the published archive unpacks."""

    def __init__(self, source: Path) -> None:
        folders = [*sorted(source.glob("cifar-10*"), reverse=True), source]
        known = {name for layout in _LAYOUTS for name in (*layout.train, layout.test, layout.names)}
        paths = [folder / name for folder in folders for name in known]
        self._paths = {path.name: path for path in paths if path.is_file()}

    @property
    def names(self) -> Collection[str]:
        return self._paths.keys()

    def read(self, name: str) -> bytes:
        return self._paths[name].read_bytes()

    def size(self, name: str) -> int:
        """The size of a file in bytes."""
        return self._paths[name].stat().st_size


class _ArchiveFiles:
    """The files in a tar archive, compressed or not, by the last part of their names."""

    def __init__(self, archive: tarfile.TarFile) -> None:
        self._archive = archive
        self._members = {PurePosixPath(member.name).name: member for member in archive if member.isfile()}

    @property
    def names(self) -> Collection[str]:
        return self._members.keys()

    def read(self, name: str) -> bytes:
        member = self._members[name]
        if member.size > MAX_FILE_BYTES:
            raise ImportFailed(
                f"{member.name} claims to have {member.size:,} bytes; a CIFAR batch has fewer than 2 GiB"
            )
        return cast(
            IO[bytes], self._archive.extractfile(member)
        ).read()  # None only for members that are not files


@contextmanager
def _opened(source: Path) -> Iterator[_Files]:
    try:
        if source.is_dir():
            yield _FolderFiles(source)
            return
        with tarfile.open(source) as archive:
            yield _ArchiveFiles(archive)
    except (tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError) as error:
        raise ImportFailed(f"cannot read {source} as CIFAR batches: {error}") from error


class CifarImporter:
    """Batches of CIFAR-10 or CIFAR-100, published or exported by synthaug."""

    name: ClassVar[str] = "cifar"
    description: ClassVar[str] = "CIFAR-10 or CIFAR-100, Python or binary batches: a folder or a .tar.gz"

    def accepts(self, source: Path) -> bool:
        if not source.is_dir() and not (source.is_file() and tarfile.is_tarfile(source)):
            return False
        with _opened(source) as files:
            return any(layout.names in files.names for layout in _LAYOUTS)

    def items(self, source: Path, only: Only = None) -> Iterator[ImportItem]:
        with _opened(source) as files:
            layout = _layout(source, files)
            names = _class_names(layout, files)
            for name, split in layout.files:
                if name in files.names:
                    yield from _batch(layout, name, files.read(name), split, names)

    def class_names(self, source: Path) -> list[str]:
        with _opened(source) as files:
            return _class_names(_layout(source, files), files)

    def count(self, source: Path) -> int | None:
        """Known for binary batches in a folder, because all of their records have the same size."""
        if not source.is_dir():
            return None
        files = _FolderFiles(source)
        layout = _layout(source, files)
        if not layout.is_binary:
            return None
        sizes = [files.size(name) for name, _ in layout.files if name in files.names]
        return sum(sizes) // (layout.label_bytes + VALUES)


def _layout(source: Path, files: _Files) -> _Layout:
    for layout in _LAYOUTS:
        if layout.names in files.names and any(name in files.names for name, _ in layout.files):
            return layout
    raise ImportFailed(
        f"{source} contains no CIFAR batches; they are data_batch_1 ... test_batch and batches.meta (Python), the same "
        "with .bin and batches.meta.txt (binary), or train, test and meta (CIFAR-100)"
    )


def _class_names(layout: _Layout, files: _Files) -> list[str]:
    data = files.read(layout.names)
    try:
        if layout.is_binary:
            return [line.rstrip("\r") for line in data.decode("utf-8").split("\n") if line.rstrip("\r")]
        names = cifar_pickle.load(data)[layout.names_key]
        if not isinstance(names, list | tuple):
            raise TypeError(f"{layout.names_key!r} is not a list")
        return [cifar_pickle.as_text(name) for name in names]
    except (KeyError, TypeError, ValueError) as error:
        raise ImportFailed(f"{layout.names} contains no class names: {error}") from error


def _batch(
    layout: _Layout, name: str, data: bytes, split: Split, class_names: Sequence[str]
) -> Iterator[ImportItem]:
    if layout.is_binary:
        images, labels = _binary(name, data, layout.label_bytes)
        filenames = [str(index) for index in range(len(labels))]
    else:
        images, labels, filenames = _pickled(name, data, layout.label_key)
    if len(labels) and not 0 <= labels.min() <= labels.max() < len(class_names):
        raise ImportFailed(
            f"{name} has labels from {labels.min()} to {labels.max()}, but {layout.names} names "
            f"{len(class_names)} classes"
        )
    for pixels, label, filename in zip(images, labels, filenames, strict=True):
        yield ImportItem(f"{name}/{filename}", _pixels(pixels), class_names[label], split)


def _pixels(planes: NDArray[np.uint8]) -> Pixels:
    """Convert planes (3072,) to an image (32, 32, 3)."""
    return np.ascontiguousarray(planes.reshape(3, 32, 32).transpose(1, 2, 0))


def _binary(name: str, data: bytes, label_bytes: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Planes (N, 3072) and labels (N,) of a binary batch. Raises ImportFailed for a batch of the wrong size."""
    record = label_bytes + VALUES
    if len(data) % record:
        raise ImportFailed(
            f"{name} has {len(data):,} bytes, which is not a multiple of {record}; is it truncated?"
        )
    records = np.frombuffer(data, dtype=np.uint8).reshape(-1, record)
    return records[:, label_bytes:], records[:, label_bytes - 1].astype(np.int64)


def _pickled(
    name: str, data: bytes, label_key: str
) -> tuple[NDArray[np.uint8], NDArray[np.int64], list[str]]:
    """Planes (N, 3072), labels (N,) and file names of a Python batch. Raises ImportFailed for anything else."""
    try:
        batch = cifar_pickle.load(data)
    except cifar_pickle.UnsafePickleError as error:
        raise ImportFailed(f"{name} is not a CIFAR batch and was not executed: {error}") from error
    pixels, labels = batch.get("data"), batch.get(label_key)
    if not isinstance(pixels, np.ndarray) or pixels.ndim != 2 or pixels.shape[1] != VALUES:
        raise ImportFailed(f"{name} is not a CIFAR batch: 'data' is not N x {VALUES} bytes")
    if not isinstance(labels, list) or not all(type(label) is int for label in labels):
        raise ImportFailed(f"{name} is not a CIFAR batch: {label_key!r} is not a list of whole numbers")
    filenames = batch.get("filenames") or [str(index) for index in range(len(labels))]
    if not isinstance(filenames, list | tuple):
        raise ImportFailed(f"{name} is not a CIFAR batch: 'filenames' is not a list")
    if not len(pixels) == len(labels) == len(filenames):
        raise ImportFailed(
            f"{name} has {len(pixels)} images, {len(labels)} labels and {len(filenames)} filenames; "
            "these numbers must be equal"
        )
    try:
        return pixels, np.array(labels, dtype=np.int64), [cifar_pickle.as_text(each) for each in filenames]
    except (OverflowError, ValueError) as error:
        raise ImportFailed(f"{name} is not a CIFAR batch: {error}") from error
