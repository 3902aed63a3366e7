"""The interface of importers."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import ClassVar, Protocol

from synthaug.records import ImportItem

Only = Collection[str] | None
"""Paths of the entries whose images are needed; None: all of them."""


class Importer(Protocol):
    """Reads one format, in a fixed order, with few images in memory at a time.

    A source that cannot be read at all raises ``ImportFailed``. A single entry that cannot be read becomes an item with
    ``rejected`` set and empty ``data``, so that one bad file does not prevent the import of the others.
    """

    name: ClassVar[str]
    description: ClassVar[str]

    def accepts(self, source: Path) -> bool:
        """Whether ``source`` looks like this format; reads little, and does not raise for other formats."""

    def items(self, source: Path, only: Only = None) -> Iterator[ImportItem]:
        """Every entry of ``source``; entries that are not in ``only`` may have empty ``data``, to save time."""

    def class_names(self, source: Path) -> list[str] | None:
        """The classes that ``source`` names, in its own order; None if it names none."""

    def count(self, source: Path) -> int | None:
        """The number of entries; None if it is not known without reading them all."""
