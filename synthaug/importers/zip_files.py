"""Unpack a zip that a stranger may have made: no entry leaves the folder, none is larger than it may be."""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from lzma import LZMAError
from pathlib import Path, PurePosixPath

from synthaug.errors import ImportFailed, explain_os_error

MAX_ENTRIES = 100_000
MAX_RATIO = 100  # unpacked / packed; films seldom shrink to a tenth
FREE_OF_RATIO = 2**28  # bytes that any zip may unpack to
MAX_DEPTH = 32
MAX_PART_BYTES = 255  # of a file system's name
MAX_PATH_BYTES = 1000

_MAC = "__MACOSX"  # holds no images, only what macOS knows of them


def safe_path(name: str) -> PurePosixPath:
    """A relative path below any folder, or ValueError that says why it is none."""
    parts = name.split("/")
    if len(name.encode("utf-8", "surrogatepass")) > MAX_PATH_BYTES or len(parts) > MAX_DEPTH:
        raise ValueError("too long or too deep")
    for part in parts:
        if part in ("", ".", ".."):
            raise ValueError(f"leads out of the folder or through {part!r}")
        if "\\" in part or any(ord(each) < 32 or ord(each) == 127 for each in part):
            raise ValueError("backslash or control character in it")
        try:
            length = len(part.encode())
        except UnicodeEncodeError as error:
            raise ValueError("not valid Unicode") from error
        if length > MAX_PART_BYTES:
            raise ValueError(f"a name of {length} bytes; {MAX_PART_BYTES} are allowed")
    return PurePosixPath(*parts)


def unpack(archive: Path, folder: Path, max_bytes: int, max_files: int = MAX_ENTRIES) -> int:
    """Unpack into ``folder``; returns how many files. Raises ImportFailed before anything is written for a bad name.

    ``max_bytes``, ``max_files``: the most that it may unpack to.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = [each for each in opened.infolist() if not _passed_over(each)]
            _check(archive, entries, max_bytes, max_files)
            for entry in entries:
                _extract(opened, entry, folder / safe_path(entry.filename))
            return len(entries)
    except (zipfile.BadZipFile, zlib.error, LZMAError, EOFError, NotImplementedError, RuntimeError) as error:
        raise ImportFailed(f"{archive.name} cannot be unpacked: {error}") from error
    except OSError as error:
        raise explain_os_error(error, folder) from error


def _passed_over(entry: zipfile.ZipInfo) -> bool:
    return entry.is_dir() or entry.filename.split("/")[0] == _MAC


def _check(archive: Path, entries: list[zipfile.ZipInfo], max_bytes: int, max_files: int) -> None:
    """Refuse what unpacks to more than it may or leads elsewhere, by the zip's own table."""
    if len(entries) > max_files:
        raise ImportFailed(f"{archive.name} holds {len(entries):,} files; {max_files:,} are allowed")
    total = sum(each.file_size for each in entries)
    packed = max(1, archive.stat().st_size)
    if total > max_bytes or (total > FREE_OF_RATIO and total > MAX_RATIO * packed):
        raise ImportFailed(
            f"{archive.name} unpacks to {total:,} bytes, {total // packed} times its size; allowed are {max_bytes:,} "
            f"bytes and {MAX_RATIO} times"
        )
    for entry in entries:
        if entry.flag_bits & 1:
            raise ImportFailed(f"{archive.name} is encrypted; unpack it and upload the folder")
        if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
            raise ImportFailed(f"{archive.name} holds {entry.filename[:200]!r}, a link or a special file")
        try:
            safe_path(entry.filename)
        except ValueError as error:
            raise ImportFailed(f"{archive.name} holds the name {entry.filename[:200]!r}: {error}") from error


def _extract(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> None:
    """One file, of which no more is written than the table says (zipfile stops there and checks the CRC)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with opened.open(entry) as packed, path.open("xb") as file:
        shutil.copyfileobj(packed, file, 2**20)
