"""The importer of scikit-learn's handwritten digits, which need no download."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from synthaug.importers.base import Only
from synthaug.importers.digits import digits_arrays
from synthaug.records import ImportItem


class DigitsImporter:
    """The 1,797 digits with a fixed split; the source is the word ``digits``."""

    name: ClassVar[str] = "digits"
    description: ClassVar[str] = "scikit-learn's 1,797 real handwritten digits, as 32 x 32 images"

    def accepts(self, source: Path) -> bool:
        return str(source) == "digits" and not source.exists()

    def items(self, source: Path, only: Only = None) -> Iterator[ImportItem]:
        images, labels, is_test = digits_arrays()
        for index, pixels in enumerate(images):
            yield ImportItem(
                path=f"digits/{index:04d}",
                data=pixels,
                class_name=str(labels[index]),
                split="test" if is_test[index] else "train",
            )

    def class_names(self, source: Path) -> list[str]:
        return [str(digit) for digit in range(10)]

    def count(self, source: Path) -> int:
        return len(digits_arrays()[0])
