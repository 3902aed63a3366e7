"""A folder of files on a disk, or at a URL that fsspec supports (s3://bucket/folder).

Files appear completely or not at all: on a disk they are renamed into place, and an object store does not show a file
before it is complete.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from synthaug.config import CACHE_VARIABLE
from synthaug.errors import UserError, WorkspaceError
from synthaug.files import PARTIAL, write_atomically


class Folder(Protocol):
    """A folder whose files are read and written by name; names contain no ``/``."""

    @property
    def address(self) -> str:
        """The path or URL to open the folder with :func:`open_folder`, on this machine or another."""

    def read(self, name: str) -> bytes:
        """The content of a file. Raises FileNotFoundError."""

    def write(self, name: str, data: bytes) -> None:
        """Write or replace a file atomically and durably."""

    def names(self) -> list[str]:
        """The names of all files in alphabetical order; empty if the folder does not exist."""

    def remove(self, name: str) -> None:
        """Remove a file, if it exists."""

    def clear(self) -> None:
        """Remove the folder and its files."""


def open_folder(address: str | Path) -> Folder:
    """The folder at a path or URL, which need not exist. Raises UserError for an unsupported URL."""
    scheme, separator, rest = str(address).partition("://")
    if not separator:
        return DiskFolder(Path(address).absolute())
    return DiskFolder(Path(rest)) if scheme == "file" else UrlFolder(str(address))


class DiskFolder:
    """A folder in the file system."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.address = str(root)

    def read(self, name: str) -> bytes:
        return (self._root / name).read_bytes()

    def write(self, name: str, data: bytes) -> None:
        write_atomically(self._root / name, data, durable=True)

    def names(self) -> list[str]:
        try:
            return sorted(each.name for each in self._root.iterdir() if PARTIAL not in each.name)
        except FileNotFoundError:
            return []

    def remove(self, name: str) -> None:
        (self._root / name).unlink(missing_ok=True)

    def clear(self) -> None:
        shutil.rmtree(self._root, ignore_errors=True)


class UrlFolder:
    """A folder of an object store."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        self._files, self._root = _filesystem(self.address)

    def read(self, name: str) -> bytes:
        with self._explained():
            data: bytes = self._files.cat_file(f"{self._root}/{name}")
        return data

    def write(self, name: str, data: bytes) -> None:
        with self._explained(missing=True):
            self._files.pipe_file(f"{self._root}/{name}", data)

    def has(self, name: str) -> bool:
        """Whether a file is there."""
        with self._explained():
            self._files.invalidate_cache()
            return bool(self._files.isfile(f"{self._root}/{name}"))

    def names(self) -> list[str]:
        return [name for name in self.tree() if "/" not in name]

    def tree(self, below: str = "") -> list[str]:
        """The names of all files, or of those below a folder of it, in order; a file in a folder is "a/b"."""
        with self._explained():
            self._files.invalidate_cache()
            found = self._files.find(f"{self._root}/{below}".rstrip("/"))
        return sorted(str(each).removeprefix(f"{self._root}/") for each in found)

    def remove(self, name: str) -> None:
        with self._explained(), suppress(FileNotFoundError):
            self._files.rm_file(f"{self._root}/{name}")

    def clear(self) -> None:
        for name in self.names():
            self.remove(name)

    @contextmanager
    def _explained(self, missing: bool = False) -> Iterator[None]:
        """Raises WorkspaceError for any error of a store; a file that is not there is left alone unless ``missing``."""
        try:
            yield
        except Exception as error:  # every kind of store has exceptions of its own
            if isinstance(error, FileNotFoundError) and not missing:
                raise
            raise WorkspaceError(
                f"{self.address} cannot be used: {error or type(error).__name__}; check the address, the credentials "
                "and the connection, and try again"
            ) from error


def cache_folder(address: str) -> Path:
    """The folder in which this machine keeps copies of what is behind a URL: $SYNTHAUG_CACHE/NAME."""
    base = os.environ.get(CACHE_VARIABLE) or Path.home() / ".cache" / "synthaug"
    return Path(base) / hashlib.sha256(address.encode()).hexdigest()[:16]


def _filesystem(address: str) -> tuple[Any, str]:
    """The file system of fsspec for a URL, and the path in it. Raises UserError."""
    from fsspec.core import url_to_fs

    scheme = address.partition("://")[0]
    try:
        files, root = url_to_fs(address)
    except ImportError as error:
        raise UserError(f"{address}: {scheme}:// needs another package: {error}") from error
    except ValueError as error:
        raise UserError(
            f"{address}: {scheme}:// is not supported; give a folder, or a URL that fsspec supports, such as s3://"
        ) from error
    return files, str(root).rstrip("/")
