"""Writing 10,000 images of 32 px as parquet and as WebDataset, beside ``datasets`` and ``webdataset``.

    python -m benchmarks.peers.exporting

All sides start from arrays in memory and write PNG. Pillow compresses at level 6 unless told otherwise,
ours at level 3.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .common.claim import Action, Claim, Row, Side
from .common.turns import main

COUNT = 10_000
PARQUET = (
    "the floor has no PNG filters, checksums or table, and calls no encoder; "
    "both sides encode each image with Pillow."
)
WHY = "the floor has no PNG filters, checksums or tar headers, and ours writes a JSON file beside each image."
NAMES = [f"class {number}" for number in range(10)]


def prepare(data: Path, count: int = COUNT) -> None:
    """Real photographs cut into tiles, as noise would compress like no photograph."""
    import numpy as np
    from sklearn.datasets import load_sample_images

    rng = np.random.default_rng(0)
    pictures = load_sample_images().images
    tiles = []
    for _ in range(count):
        picture = pictures[rng.integers(len(pictures))]
        row, column = rng.integers(0, picture.shape[0] - 32), rng.integers(0, picture.shape[1] - 32)
        tiles.append(picture[row : row + 32, column : column + 32])
    np.save(data / "images.npy", np.stack(tiles))


def rounds(data: Path, writers: dict[str, Callable[[Path], object]]) -> Action:
    """A round that writes every format into an empty folder of the side's own."""
    own = data / f"out-{time.time_ns()}"

    def work() -> dict[str, float]:
        figures = {}
        for name, write in writers.items():
            began = time.perf_counter()
            write(own / name)
            figures[f"{name}_seconds"] = time.perf_counter() - began
        files = (path for path in own.rglob("*") if path.is_file())
        figures["files_mb"] = sum(path.stat().st_size for path in files) / 1e6
        shutil.rmtree(own)
        return figures

    return work


def ours(data: Path) -> Action:
    import numpy as np

    from synthaug.exporters import load_exporter
    from synthaug.records import ExportItem

    images = np.load(data / "images.npy")

    def items() -> Iterator[ExportItem]:
        for number, pixels in enumerate(images):
            yield ExportItem(f"{number:064x}", pixels, number % 10, "train", "real", {"seed": number})

    def writer(name: str) -> Callable[[Path], object]:
        return lambda folder: load_exporter(name).write(folder, items(), NAMES)

    return rounds(data, {name: writer(name) for name in ("parquet", "webdataset")})


def datasets(data: Path) -> Action:
    import numpy as np
    from datasets import ClassLabel, Dataset, Features, Image
    from PIL import Image as Pillow

    images = np.load(data / "images.npy")
    features = Features({"image": Image(), "label": ClassLabel(names=NAMES)})

    def write(folder: Path) -> None:
        folder.mkdir(parents=True)
        pictures = [Pillow.fromarray(each) for each in images]
        labels = [number % 10 for number in range(COUNT)]
        Dataset.from_dict({"image": pictures, "label": labels}, features).to_parquet(folder / "train.parquet")

    return rounds(data, {"parquet": write})


def webdataset(data: Path) -> Action:
    import numpy as np
    from PIL import Image
    from webdataset import TarWriter

    images = np.load(data / "images.npy")

    def write(folder: Path) -> None:
        folder.mkdir(parents=True)
        with TarWriter(str(folder / "train-000000.tar")) as shard:
            for number, pixels in enumerate(images):
                picture: Any = Image.fromarray(pixels)
                sample = {
                    "__key__": f"{number:08d}",
                    "png": picture,
                    "cls": number % 10,
                    "json": {"seed": number},
                }
                shard.write(sample)

    return rounds(data, {"webdataset": write})


def compression(data: Path) -> Action:
    import zlib

    import numpy as np

    images = np.load(data / "images.npy")

    def write(folder: Path) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.write_bytes(b"".join(zlib.compress(pixels.tobytes(), 3) for pixels in images))

    return rounds(data, {"parquet": write, "webdataset": write})


CLAIM = Claim(
    "exporting",
    "Export",
    (
        Side("synthaug", ours, role="ours"),
        Side("datasets", datasets, shown="datasets"),
        Side("webdataset", webdataset, ("webdataset==1.0.2", "pillow==12.3.0")),
        Side("floor", compression, role="floor"),
    ),
    (
        Row("parquet_seconds", f"Export {COUNT:,} images of 32 px as parquet", why=PARQUET),
        Row("webdataset_seconds", f"Export {COUNT:,} images of 32 px as WebDataset", why=WHY),
    ),
    floor="zlib at level 3 of the bare pixels and one write of the result",
    notes="Ours also writes each image's hash, origin and provenance.",
    prepare=prepare,
)

if __name__ == "__main__":
    main(CLAIM)
