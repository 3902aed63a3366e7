"""The interface of exporters, and the checks that all of them make first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Protocol

from synthaug.errors import ExportFailed, WorkspaceError
from synthaug.images import encode_png
from synthaug.records import ExportItem


class Exporter(Protocol):
    """Writes a set of images in one format; the same items in the same order give the same bytes."""

    name: ClassVar[str]
    description: ClassVar[str]

    def write(self, directory: Path, items: Iterable[ExportItem], class_names: Sequence[str]) -> None:
        """Write ``items`` into ``directory``, which must be empty or not exist.

        Raises ExportFailed if the format cannot store the set, and WorkspaceError if the directory cannot be used.
        """


def prepare(directory: Path, class_names: Sequence[str]) -> None:
    """Create ``directory``. Raises WorkspaceError if it is not empty, and ExportFailed for invalid class names."""
    repeated = sorted(name for name, times in Counter(class_names).items() if times > 1)
    if repeated:
        raise ExportFailed(f"class names must be different; these occur more than once: {repeated}")
    for name in class_names:
        if name.encode("utf-8", "replace").decode("utf-8") != name:
            raise ExportFailed(f"the class name {name!r} is not valid Unicode; rename the class")
    refuse_filled(directory)
    directory.mkdir(parents=True, exist_ok=True)


def refuse_filled(directory: Path, doing: str = "export to") -> None:
    """Raises WorkspaceError if ``directory`` is not empty, so that an export is not mixed with other files."""
    if not directory.exists() and not directory.is_symlink():
        return
    if not directory.is_dir():
        raise WorkspaceError(f"cannot {doing} {directory}: it is not a folder; choose another name")
    first = min((entry.name for entry in directory.iterdir()), default=None)
    if first is not None:
        raise WorkspaceError(
            f"cannot {doing} {directory}: it is not empty (it contains {first!r}); "
            "choose a new folder or empty it"
        )


def png_of(item: ExportItem) -> bytes:
    """The image as PNG; a film at its full depth becomes a 16-bit gray PNG with its display settings."""
    return encode_png(item.pixels if item.film is None else item.film, {})


def caption_of(item: ExportItem) -> str:
    """The caption of an image: its measured angles, or else its prompt, or else its imported caption, or else ""."""
    landmarks = item.provenance.get("landmarks")
    measured = landmarks.get("caption") if isinstance(landmarks, Mapping) else None
    return str(measured or item.provenance.get("prompt") or item.provenance.get("caption") or "")


def checked(items: Iterable[ExportItem], class_names: Sequence[str]) -> Iterator[ExportItem]:
    """Pass ``items`` on. Raises ExportFailed for an item whose class does not exist."""
    for item in items:
        if not 0 <= item.class_index < len(class_names):
            raise ExportFailed(
                f"the image {item.sha256[:12]} has the class index {item.class_index}; "
                f"there are {len(class_names)} classes, 0 .. {len(class_names) - 1}"
            )
        yield item
