"""The seam of importers."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import ClassVar, Protocol

from synthaug.records import ImportItem

Only = Collection[str] | None
"""Paths of the entries whose images are asked for; None: all of them."""


class Importer(Protocol):
    """Reads one format, in a fixed order, a little at a time.

    A source that cannot be read at all raises ``ImportFailed``. One entry that cannot be read comes as an
    item with ``rejected`` set and empty ``data``, so that one bad file never costs the others.
    """

    name: ClassVar[str]
    description: ClassVar[str]

    def accepts(self, source: Path) -> bool:
        """Whether ``source`` looks like this format; cheap, and never raises for another format."""

    def items(self, source: Path, only: Only = None) -> Iterator[ImportItem]:
        """Every entry of ``source``; the others than ``only`` may come with empty ``data``, to be quick."""

    def class_names(self, source: Path) -> list[str] | None:
        """The classes that ``source`` names, in its own order; None where it names none."""

    def count(self, source: Path) -> int | None:
        """How many items will come, where that is known without reading them all."""
