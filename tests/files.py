"""Damage files, and mount small or read-only disks, for tests of what is done about it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def copy_workspace(template: Path, root: Path) -> Path:
    """A workspace of one's own at ``root``. Its images are links to those of the template: damage them as below."""
    images = template / "images"

    def copy(source: str, target: str) -> None:
        (os.link if images in Path(source).parents else shutil.copy2)(source, target)

    return shutil.copytree(template, root, copy_function=copy)


def replace(path: Path, data: bytes) -> None:
    """Give a file other bytes, but not its copies that are links to it."""
    path.unlink()
    path.write_bytes(data)


def cut(path: Path, length: int) -> None:
    """Keep the first ``length`` bytes of a file; below 0, all but that many."""
    replace(path, path.read_bytes()[:length])


def flip_a_byte(path: Path) -> None:
    """Change the last byte of a file."""
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    replace(path, bytes(data))


@contextmanager
def mounted(folder: Path, *options: str | Path) -> Iterator[Path]:
    """A disk of one's own at ``folder``; skips the test where mounting is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["mount", *options, folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"mounting is for root: {done.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def read_only(folder: Path, at: Path) -> Iterator[Path]:
    """The same folder once more, at ``at``, where it may not be written to."""
    with mounted(at, "--bind", folder):
        subprocess.run(["mount", "-o", "remount,ro,bind", at], check=True)
        yield at


@contextmanager
def small_disk(at: Path, size: str) -> Iterator[Path]:
    """A disk in memory of ``size``, as "8m"."""
    with mounted(at, "-t", "tmpfs", "-o", f"size={size}", "tmpfs"):
        yield at
