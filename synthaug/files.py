"""Writing files and folders atomically, and removing what killed processes left half written.

A file or folder that is being written has ``.partial-`` in its name and is locked by its writer. The operating system
releases the lock when the writer dies, so a partial file that nobody has locked is a leftover.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from synthaug.errors import explain_os_error

PARTIAL = ".partial-"
AT_A_TIME = 8
"""Files that are made durable, or uploaded, at a time."""
JOURNALS = ("-wal", "-shm", "-journal")
"""Suffixes of the files that SQLite keeps beside a database while it is in use."""


def write_atomically(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Write a file so that neither a reader, a crash nor a full disk leaves half of it. Raises WorkspaceError.

    With ``durable`` it returns only once the data is on the disk; otherwise a power cut may lose the file.
    """
    with new_file(path, durable=durable) as file:
        file.write(data)


@contextmanager
def new_file(path: Path, *, durable: bool = False) -> Iterator[BinaryIO]:
    """A new file that replaces ``path`` when the block ends without an error. Raises WorkspaceError."""
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
    """A new, locked file; retries if another process removed it before it was locked."""
    while True:
        path = folder / f"{PARTIAL}{secrets.token_hex(6)}"
        file = path.open("xb")
        fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            return path, file
        file.close()


@contextmanager
def new_directory(destination: Path, doing: str = "write", *, durable: bool = False) -> Iterator[Path]:
    """A new folder that is renamed to ``destination`` when the block ends without an error.

    ``destination`` may exist if it is empty. With ``durable``, every file and folder in it is on the disk before it
    gets its name, and the name before the block is left. Raises WorkspaceError for a full disk or a read-only folder;
    after any error nothing is left behind.
    """
    prefix = f".{destination.name}{PARTIAL}"
    partial = destination.parent / f"{prefix}{secrets.token_hex(4)}"
    remove_leftovers([destination.parent], prefix)
    try:
        partial.mkdir(parents=True)
        try:
            with _locked(partial):
                yield partial
                if durable:
                    sync_tree(partial)
                partial.replace(destination)
        finally:
            shutil.rmtree(partial, ignore_errors=True)  # after a success it no longer exists
        if durable:
            sync(destination.parent)
    except OSError as error:
        raise explain_os_error(error, destination, doing) from error


def sync(path: Path) -> None:
    """Wait until a file, or the entries of a folder, are on the disk. Raises WorkspaceError."""
    try:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise explain_os_error(error, path) from error


def sync_all(paths: Iterable[Path]) -> None:
    """:func:`sync` of many paths. Raises WorkspaceError."""
    at_once(sync, paths)


def at_once(act: Callable[[Path], None], paths: Iterable[Path]) -> None:
    """Do something to many files, which takes hardly more time than to one; raises what was raised for one."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        for _ in pool.map(act, paths):
            pass


def sync_tree(folder: Path) -> None:
    """Wait until a folder and all files and folders below it are on the disk. Raises WorkspaceError."""
    sync_all([*folder.rglob("*"), folder])


def file_sha256(path: Path) -> str:
    """SHA-256 of the content of a file, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def turns(folder: Path) -> Iterator[None]:
    """A block that only one process at a time may enter for this folder; waits for its turn."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def remove_leftovers(folders: Iterable[Path], prefix: str = "") -> list[Path]:
    """Remove and return the partial files and folders that killed processes left in these folders.

    Only names that begin with ``prefix`` are considered.
    """
    removed = []
    for folder in folders:
        try:
            with os.scandir(folder) as entries:
                names = sorted(each.name for each in entries if PARTIAL in each.name)
        except FileNotFoundError:
            continue
        partial = [Path(folder) / name for name in names if name.startswith(prefix)]
        removed += [path for path in partial if _remove_unused(path)]  # a database before its journal
    return removed


def _remove_unused(path: Path) -> bool:
    """Remove a partial file or folder unless a process is writing to it; returns whether it was removed."""
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
    except OSError:  # it is in use, already removed, or may not be removed
        return False
    return True


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file or folder. Raises BlockingIOError while another process holds it."""
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)
