"""Unpacking zip files from unknown people: no file is written outside the folder, and sizes are limited."""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from lzma import LZMAError
from pathlib import Path, PurePosixPath

from synthaug.errors import ImportFailed, explain_os_error

MAX_ENTRIES = 100_000
MAX_RATIO = 100  # unpacked size / packed size; films seldom shrink to a tenth
FREE_OF_RATIO = 2**28  # unpacked bytes up to which the ratio is not limited
MAX_DEPTH = 32
MAX_PART_BYTES = 255  # limit of file systems for one name
MAX_PATH_BYTES = 1000

_MAC = "__MACOSX"  # contains metadata of macOS, no images


def safe_path(name: str) -> PurePosixPath:
    """The name as a relative path. Raises ValueError, with the reason, if it is not safe below every folder."""
    parts = name.split("/")
    if len(name.encode("utf-8", "surrogatepass")) > MAX_PATH_BYTES or len(parts) > MAX_DEPTH:
        raise ValueError("it is too long or too deep")
    for part in parts:
        if part in ("", ".", ".."):
            raise ValueError(f"it leads out of the folder or through {part!r}")
        if "\\" in part or any(ord(each) < 32 or ord(each) == 127 for each in part):
            raise ValueError("it contains a backslash or a control character")
        try:
            length = len(part.encode())
        except UnicodeEncodeError as error:
            raise ValueError("it is not valid Unicode") from error
        if length > MAX_PART_BYTES:
            raise ValueError(f"it has a part of {length} bytes; at most {MAX_PART_BYTES} are allowed")
    return PurePosixPath(*parts)


def unpack(archive: Path, folder: Path, max_bytes: int, max_files: int = MAX_ENTRIES) -> int:
    """Unpack ``archive`` into ``folder``, to at most ``max_bytes`` bytes and ``max_files`` files; returns their number.

    Raises ImportFailed, before anything is written, for an archive with unsafe names or sizes.
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
    """Raises ImportFailed if the table of the zip lists too many files, too many bytes or unsafe names."""
    if len(entries) > max_files:
        raise ImportFailed(
            f"{archive.name} contains {len(entries):,} files; at most {max_files:,} are allowed"
        )
    total = sum(each.file_size for each in entries)
    packed = max(1, archive.stat().st_size)
    if total > max_bytes or (total > FREE_OF_RATIO and total > MAX_RATIO * packed):
        raise ImportFailed(
            f"{archive.name} unpacks to {total:,} bytes, {total // packed} times its size; at most {max_bytes:,} bytes "
            f"and {MAX_RATIO} times its size are allowed"
        )
    for entry in entries:
        if entry.flag_bits & 1:
            raise ImportFailed(f"{archive.name} is encrypted; unpack it and upload the folder")
        if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
            raise ImportFailed(
                f"{archive.name} contains {entry.filename[:200]!r}, which is a link or a special file"
            )
        try:
            safe_path(entry.filename)
        except ValueError as error:
            raise ImportFailed(
                f"{archive.name} contains the name {entry.filename[:200]!r}: {error}"
            ) from error


def _extract(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> None:
    """Write one file; zipfile writes no more bytes than the table lists, and checks the CRC."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with opened.open(entry) as packed, path.open("xb") as file:
        shutil.copyfileobj(packed, file, 2**20)
