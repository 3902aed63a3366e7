"""CIFAR-10 and CIFAR-100 as published: python or binary batches, in a folder or the ``.tar.gz``.

https://www.cs.toronto.edu/~kriz/cifar.html. Pickles are read without executing anything in them, and an
archive is read in place: nothing is extracted.
"""

from __future__ import annotations

import lzma
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, ClassVar, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from synthaug import cifar_pickle
from synthaug.errors import ImportFailed
from synthaug.importers.base import Only
from synthaug.records import ImportItem, Pixels, Split

VALUES = 3072  # 3 planes of 32 x 32
MAX_FILE_BYTES = 2**31  # no batch is larger: its pickle could not be written

_TRAIN = [f"data_batch_{number}" for number in range(1, 6)]


@dataclass(frozen=True, slots=True)
class _Layout:
    """One published form: its files, where its class names are, and what a label is called."""

    train: Sequence[str]
    test: str
    names: str
    label_key: str = ""  # python batches
    names_key: str = ""
    label_bytes: int = 1  # binary batches: the class is the last of these

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
    """The batches' files, wherever they lie."""

    names: dict[str, Any]

    def read(self, name: str) -> bytes: ...


class _FolderFiles:
    """A folder, or the one folder in it that the published archive unpacks to."""

    def __init__(self, source: Path) -> None:
        folders = [*sorted(source.glob("cifar-10*"), reverse=True), source]
        known = {name for layout in _LAYOUTS for name in (*layout.train, layout.test, layout.names)}
        paths = [folder / name for folder in folders for name in known]
        self.names = {path.name: path for path in paths if path.is_file()}

    def read(self, name: str) -> bytes:
        data: bytes = self.names[name].read_bytes()
        return data


class _ArchiveFiles:
    """The members of a tar, compressed or not, by the last part of their names."""

    def __init__(self, archive: tarfile.TarFile) -> None:
        self._archive = archive
        self.names = {PurePosixPath(member.name).name: member for member in archive if member.isfile()}

    def read(self, name: str) -> bytes:
        member = self.names[name]
        if member.size > MAX_FILE_BYTES:
            raise ImportFailed(
                f"{member.name} claims {member.size:,} bytes; a CIFAR batch has fewer than 2 GiB"
            )
        return cast(IO[bytes], self._archive.extractfile(member)).read()  # None only for what is no file


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
    """Batches of CIFAR-10 or CIFAR-100, and synthaug's own exports of them."""

    name: ClassVar[str] = "cifar"
    description: ClassVar[str] = "CIFAR-10 or CIFAR-100 python or binary batches: a folder or a .tar.gz"

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
        """Known for binary batches, whose records have one size."""
        if not source.is_dir():
            return None
        files = _FolderFiles(source)
        layout = _layout(source, files)
        if not layout.is_binary:
            return None
        sizes = [files.names[name].stat().st_size for name, _ in layout.files if name in files.names]
        return sum(sizes) // (layout.label_bytes + VALUES)


def _layout(source: Path, files: _Files) -> _Layout:
    for layout in _LAYOUTS:
        if layout.names in files.names and any(name in files.names for name, _ in layout.files):
            return layout
    raise ImportFailed(
        f"no CIFAR batches in {source}; expected data_batch_1 ... test_batch and batches.meta (python), "
        "the same with .bin and batches.meta.txt (binary), or CIFAR-100's train, test and meta"
    )


def _class_names(layout: _Layout, files: _Files) -> list[str]:
    data = files.read(layout.names)
    try:
        if layout.is_binary:
            return [line.rstrip("\r") for line in data.decode("utf-8").split("\n") if line.rstrip("\r")]
        meta = cifar_pickle.load(data)
        return [cifar_pickle.as_text(name) for name in meta[layout.names_key]]
    except (KeyError, TypeError, ValueError) as error:
        raise ImportFailed(f"{layout.names} does not hold class names: {error}") from error


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
            f"{name} has labels {labels.min()} .. {labels.max()}, but {layout.names} names "
            f"{len(class_names)} classes"
        )
    for pixels, label, filename in zip(images, labels, filenames, strict=True):
        yield ImportItem(f"{name}/{filename}", _pixels(pixels), class_names[label], split)


def _pixels(planes: NDArray[np.uint8]) -> Pixels:
    """(3072,) planes -> (32, 32, 3)."""
    return np.ascontiguousarray(planes.reshape(3, 32, 32).transpose(1, 2, 0))


def _binary(name: str, data: bytes, label_bytes: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Records of ``label_bytes`` and 3,072 pixels -> (N, 3072) uint8 and labels (N,)."""
    record = label_bytes + VALUES
    if len(data) % record:
        raise ImportFailed(f"{name} has {len(data):,} bytes, no multiple of {record}; is it truncated?")
    records = np.frombuffer(data, dtype=np.uint8).reshape(-1, record)
    return records[:, label_bytes:], records[:, label_bytes - 1].astype(np.int64)


def _pickled(
    name: str, data: bytes, label_key: str
) -> tuple[NDArray[np.uint8], NDArray[np.int64], list[str]]:
    """(N, 3072) uint8, labels (N,), filenames of a pickled batch, each checked."""
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
    if not len(pixels) == len(labels) == len(filenames):
        raise ImportFailed(
            f"{name} has {len(pixels)} images, {len(labels)} labels and {len(filenames)} filenames; "
            "the three must agree"
        )
    try:
        return pixels, np.array(labels, dtype=np.int64), [cifar_pickle.as_text(each) for each in filenames]
    except (OverflowError, ValueError) as error:
        raise ImportFailed(f"{name} is not a CIFAR batch: {error}") from error
