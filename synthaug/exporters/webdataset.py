"""The exporter of WebDataset: tar files in which ``00000000.png``, ``.cls`` and ``.json`` make up one sample.

Format: https://github.com/webdataset/webdataset. The JSON of each sample has its class name.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar

from synthaug.exporters.base import checked, png_of, prepare
from synthaug.records import ExportItem, Split

SHARD = 10_000  # images per tar file


class WebDatasetExporter:
    """Tar files of PNG, class index and JSON, in order; their headers are always the same."""

    name: ClassVar[str] = "webdataset"
    description: ClassVar[str] = "WebDataset tar shards for streaming large sets, any image size"

    def write(self, directory: Path, items: Iterable[ExportItem], class_names: Sequence[str]) -> None:
        prepare(directory, class_names)
        counts: dict[Split, int] = {"train": 0, "test": 0}
        shards: dict[Split, tarfile.TarFile] = {}
        with ExitStack() as stack:
            for item in checked(items, class_names):
                number = counts[item.split]
                if number % SHARD == 0:
                    path = directory / f"{item.split}-{number // SHARD:06d}.tar"
                    shards[item.split] = stack.enter_context(
                        tarfile.open(path, "w", format=tarfile.USTAR_FORMAT)
                    )
                _add(shards[item.split], f"{number:08d}", item, class_names[item.class_index])
                counts[item.split] += 1


def _add(shard: tarfile.TarFile, key: str, item: ExportItem, class_name: str) -> None:
    description = {
        "class_name": class_name,
        "origin": item.origin,
        "provenance": item.provenance,
        "sha256": item.sha256,
    }
    parts = {
        "png": png_of(item),
        "cls": str(item.class_index).encode(),
        "json": json.dumps(description, sort_keys=True, ensure_ascii=False).encode(),
    }
    for suffix, data in parts.items():
        header = tarfile.TarInfo(
            f"{key}.{suffix}"
        )  # time, owner and mode have their defaults, so that equal images give equal bytes
        header.size = len(data)
        shard.addfile(header, io.BytesIO(data))
