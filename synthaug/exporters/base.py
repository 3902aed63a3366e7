"""The seam of exporters, and what all of them check first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar, Protocol

from synthaug.errors import ExportFailed, WorkspaceError
from synthaug.images import encode_png
from synthaug.records import ExportItem


class Exporter(Protocol):
    """Writes a set of images in one format. The same items in the same order give the same bytes."""

    name: ClassVar[str]
    description: ClassVar[str]

    def write(self, directory: Path, items: Iterable[ExportItem], class_names: Sequence[str]) -> None:
        """Write ``items`` into ``directory``, which is empty or not there yet.

        Raises ``ExportFailed`` where the format cannot hold the set, ``WorkspaceError`` where the directory
        cannot be used.
        """


def prepare(directory: Path, class_names: Sequence[str]) -> None:
    """Make ``directory`` where it is missing; refuse one that holds something, and unusable class names."""
    twice = sorted(name for name, times in Counter(class_names).items() if times > 1)
    if twice:
        raise ExportFailed(f"class names must differ; more than once: {twice}")
    for name in class_names:
        if name.encode("utf-8", "replace").decode("utf-8") != name:
            raise ExportFailed(f"class name {name!r} is not valid Unicode text; rename the class")
    refuse_filled(directory)
    directory.mkdir(parents=True, exist_ok=True)


def refuse_filled(directory: Path, doing: str = "export to") -> None:
    """Raise ``WorkspaceError`` where something is already there, so that what is written never mixes with it."""
    if not directory.exists() and not directory.is_symlink():
        return
    if not directory.is_dir():
        raise WorkspaceError(f"cannot {doing} {directory}: it is not a folder; choose another name")
    first = min((entry.name for entry in directory.iterdir()), default=None)
    if first is not None:
        raise WorkspaceError(
            f"cannot {doing} {directory}: it is not empty (it holds {first!r}); "
            "choose a new folder or empty it"
        )


def png_of(item: ExportItem) -> bytes:
    """The image as PNG: gray of 16 bits, with how it is shown, where it comes at its full depth."""
    return encode_png(item.pixels if item.film is None else item.film, {})


def caption_of(item: ExportItem) -> str:
    """An image in words: the angles measured on it, else the prompt it was made from, else its caption, else ""."""
    measured = item.provenance.get("landmarks", {}).get("caption")
    return str(measured or item.provenance.get("prompt") or item.provenance.get("caption") or "")


def checked(items: Iterable[ExportItem], class_names: Sequence[str]) -> Iterator[ExportItem]:
    """``items``, each with a class that exists."""
    for item in items:
        if not 0 <= item.class_index < len(class_names):
            raise ExportFailed(
                f"image {item.sha256[:12]} has class {item.class_index}; "
                f"there are {len(class_names)} classes, 0 .. {len(class_names) - 1}"
            )
        yield item
