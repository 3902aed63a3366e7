"""Reading 4,000 images of 32 px into arrays from parquet and from folders, beside ``datasets`` and torchvision.

    python -m benchmarks.peers.importing

What is compared is the way from files to pixels and labels. Import into a workspace also hashes, stores and logs;
benchmarks/workspace_scale.py measures that.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from . import exporting
from .common.claim import Action, Claim, Row, Side
from .common.turns import main
from .exporting import NAMES

COUNT = 4_000
FORMATS = ("parquet", "folder")
WHY = (
    "the checksums of every PNG are checked before it is decoded, and links out of the folder are refused, which "
    "neither peer does."
)


def prepare(data: Path) -> None:
    """The same images as parquet and as folders."""
    import numpy as np

    from synthaug.exporters import load_exporter
    from synthaug.records import ExportItem

    exporting.prepare(data, COUNT)
    images = np.load(data / "images.npy")
    for name in FORMATS:
        items = (
            ExportItem(f"{number:064x}", pixels, number % 10, "train", "real", {})
            for number, pixels in enumerate(images)
        )
        load_exporter(name).write(data / name, items, NAMES)
    (data / "folder" / "metadata.csv").unlink()


def rounds(readers: dict[str, Callable[[], int]]) -> Action:
    """A round that reads every format; the sum of all pixels shows that they were decoded."""

    def work() -> dict[str, float]:
        figures: dict[str, float] = {}
        for name, read in readers.items():
            began = time.perf_counter()
            figures["pixels"] = read()
            figures[f"{name}_seconds"] = time.perf_counter() - began
        return figures

    return work


def ours(data: Path) -> Action:
    from synthaug.images import decode
    from synthaug.importers import load_importer

    def reader(name: str) -> Callable[[], int]:
        importer = load_importer(name)

        def read() -> int:
            items = importer.items(data / name)
            return sum(int(decode(each.data).sum()) for each in items if isinstance(each.data, bytes))

        return read

    return rounds({name: reader(name) for name in FORMATS})


def datasets(data: Path) -> Action:
    import numpy as np
    from datasets import disable_progress_bars, load_dataset

    disable_progress_bars()
    number = iter(range(1000))

    def reader(kind: str, **options: str) -> Callable[[], int]:
        def read() -> int:
            cache = data / f"cache-{next(number)}"  # prepared anew, as on the first use
            loaded = load_dataset(kind, split="train", cache_dir=str(cache), **options)
            return sum(int(np.asarray(each["image"].convert("RGB")).sum()) for each in loaded)

        return read

    files = str(data / "parquet" / "train-*.parquet")
    return rounds(
        {
            "parquet": reader("parquet", data_files=files),
            "folder": reader("imagefolder", data_dir=str(data / "folder")),
        }
    )


def torchvision(data: Path) -> Action:
    import numpy as np
    from torchvision.datasets import ImageFolder

    def read() -> int:
        return sum(int(np.asarray(image).sum()) for image, _ in ImageFolder(str(data / "folder" / "train")))

    return rounds({"folder": read})


def decoding(data: Path) -> Action:
    import io

    import numpy as np
    from PIL import Image

    files = [path.read_bytes() for path in sorted((data / "folder" / "train").rglob("*.png"))]

    def read() -> int:
        return sum(int(np.asarray(Image.open(io.BytesIO(each))).sum()) for each in files)

    return rounds(dict.fromkeys(FORMATS, read))


CLAIM = Claim(
    "importing",
    "Import",
    (
        Side("synthaug", ours, role="ours"),
        Side("datasets", datasets, shown="datasets"),
        Side("torchvision", torchvision, shown="torchvision"),
        Side("floor", decoding, role="floor"),
    ),
    (
        Row("parquet_seconds", f"Read {COUNT:,} images of 32 px from parquet", why=WHY),
        Row("folder_seconds", f"Read {COUNT:,} images of 32 px from folders", why=WHY),
    ),
    floor="decoding the same PNG files from memory with Pillow",
    notes="Ours refuses links out of the folder and damaged files one by one; `datasets` prepares its cache anew.",
    same=("pixels",),
    prepare=prepare,
)

if __name__ == "__main__":
    main(CLAIM)
