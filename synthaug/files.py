"""Files and folders that appear whole or not at all, and what a killed process left of them.

What is being written has a name with ``.partial-`` in it and is locked by its writer. The system frees the lock
when the writer dies, so a leftover is what nobody has locked.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from synthaug.errors import explain_os_error

PARTIAL = ".partial-"
JOURNALS = ("-wal", "-shm", "-journal")
"""What SQLite writes beside a database: in use as long as that is."""


def write_atomically(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Write a file so that a reader, a crash or a full disk never sees half of it. Raises WorkspaceError.

    ``durable``: return when it is on the disk; without it a power cut may take it (see :func:`sync`).
    """
    with new_file(path, durable=durable) as file:
        file.write(data)


@contextmanager
def new_file(path: Path, *, durable: bool = False) -> Iterator[BinaryIO]:
    """A file that takes the place of ``path`` when the block ends without an error. Raises WorkspaceError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial, file = _open_partial(path.parent)
        with file:
            try:
                yield file
                file.flush()
                if durable:
                    os.fsync(file.fileno())
                partial.replace(path)
            except BaseException:
                partial.unlink(missing_ok=True)
                raise
        if durable:
            sync(path.parent)
    except OSError as error:
        raise explain_os_error(error, path) from error


def _open_partial(folder: Path) -> tuple[Path, BinaryIO]:
    """A new, locked file. (One that was cleared away before it could be locked is made again.)"""
    while True:
        path = folder / f"{PARTIAL}{secrets.token_hex(6)}"
        file = path.open("xb")
        fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            return path, file
        file.close()


@contextmanager
def new_directory(destination: Path, doing: str = "write") -> Iterator[Path]:
    """An empty folder beside ``destination`` that takes its name when the block ends without an error.

    ``destination`` may be there, if it is empty. A full disk or a read-only folder is a ``WorkspaceError`` that says
    so; after any error nothing is left behind.
    """
    prefix = f".{destination.name}{PARTIAL}"
    partial = destination.parent / f"{prefix}{secrets.token_hex(4)}"
    remove_leftovers([destination.parent], prefix)
    try:
        partial.mkdir(parents=True)
        try:
            with _locked(partial):
                yield partial
                partial.replace(destination)
        finally:
            shutil.rmtree(partial, ignore_errors=True)  # gone already after a success
    except OSError as error:
        raise explain_os_error(error, destination, doing) from error


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk. Raises WorkspaceError."""
    try:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise explain_os_error(error, path) from error


def file_sha256(path: Path) -> str:
    """Of a file's bytes, as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def turns(folder: Path) -> Iterator[None]:
    """Wait until no other process is in such a block for this folder."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def remove_leftovers(folders: Iterable[Path], prefix: str = "") -> list[Path]:
    """Remove what killed processes left of files and folders in these folders; returns what was removed.

    ``prefix``: only of what begins so.
    """
    found = []
    for folder in folders:
        try:
            with os.scandir(folder) as entries:
                names = sorted(each.name for each in entries if PARTIAL in each.name)
        except FileNotFoundError:
            continue
        partial = [Path(folder) / name for name in names if name.startswith(prefix)]
        found += [path for path in partial if _remove_unused(path)]  # a database before its journal
    return found


def _remove_unused(path: Path) -> bool:
    """Remove it unless somebody writes to it; returns whether it was removed."""
    if any(
        path.with_name(path.name.removesuffix(each)).exists() for each in JOURNALS if path.name.endswith(each)
    ):
        return False
    try:
        with _locked(path):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
    except OSError:  # in use, gone by now, or not ours to remove
        return False
    return True


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a file or folder. Raises BlockingIOError while another does."""
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)
