"""The importer of a single image file: PNG, JPEG, TIFF, DICOM ..."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from synthaug.errors import ImportFailed
from synthaug.importers.base import Only
from synthaug.importers.folder import is_image, is_nameless_dicom, read_file
from synthaug.records import ImportItem


class SingleImporter:
    """A single image file, which has no class."""

    name: ClassVar[str] = "image"
    description: ClassVar[str] = "A single image: PNG, JPEG, TIFF, DICOM ..."

    def accepts(self, source: Path) -> bool:
        return source.is_file() and (is_image(source.name) or is_nameless_dicom(source))

    def items(self, source: Path, only: Only = None) -> Iterator[ImportItem]:
        if not source.is_file():
            raise ImportFailed(f"{source} is not a file")
        data, rejected = read_file(source, source.resolve().parent)
        yield ImportItem(source.name, data, None, rejected=rejected)

    def class_names(self, source: Path) -> None:
        """None: a single image names no classes."""

    def count(self, source: Path) -> int:
        return 1
