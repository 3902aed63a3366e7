"""Damage files, and mount small or read-only disks, for tests of what is done about it."""

from __future__ import annotations

from pathlib import Path


def cut(path: Path, length: int) -> None:
    """Keep the first ``length`` bytes of a file; below 0, all but that many."""
    path.write_bytes(path.read_bytes()[:length])


def flip_a_byte(path: Path) -> None:
    """Change the last byte of a file."""
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
