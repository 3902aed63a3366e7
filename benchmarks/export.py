"""Export of 50,000 random 32-px images from memory; the goal is CIFAR batches in under 10 s.

    python benchmarks/export.py [--images 50000]

The baseline is one Pillow ``save`` per image into class folders. Each format runs in its own process, so that peak
memory is measured separately; the images themselves take 150 MB of it.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from synthaug.exporters import EXPORTERS, load_exporter
from synthaug.exporters.manifest import (
    ManifestImage,
    atomic_directory,
    build_manifest,
    recording,
    write_manifest,
)
from synthaug.records import ExportItem

CLASSES = [f"class {index}" for index in range(10)]
PEER = "Pillow, one file per image"


def items(images: np.ndarray) -> Iterator[ExportItem]:
    """Five in six are training images, as in CIFAR-10."""
    for index, pixels in enumerate(images):
        split = "test" if index % 6 == 5 else "train"
        yield ExportItem(f"{index:064x}", pixels, index % 10, split, "synthetic", {"seed": index})


def pillow_folder(directory: Path, images: np.ndarray) -> None:
    """Write images as a script without an exporter would."""
    for item in items(images):
        folder = directory / item.split / CLASSES[item.class_index]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(item.pixels).save(folder / f"{item.sha256}.png")


def measure(name: str, count: int) -> dict[str, float]:
    """Seconds to write the images, also with the manifest (wall clock and CPU), and peak memory in MB."""
    images = np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        start, start_cpu = time.perf_counter(), time.process_time()
        if name == PEER:
            pillow_folder(Path(folder) / "out", images)
            written = total = time.perf_counter() - start
        else:
            entries: list[ManifestImage] = []
            with atomic_directory(Path(folder) / "out") as out:
                load_exporter(name).write(out, recording(items(images), entries), CLASSES)
                written = time.perf_counter() - start
                manifest = build_manifest(
                    out, format_name=name, view="all", class_names=CLASSES, images=entries
                )
                write_manifest(out, manifest)
            total = time.perf_counter() - start
        cpu = time.process_time() - start_cpu
        megabytes = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()) / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"write_s": written, "total_s": total, "cpu_s": cpu, "files_mb": megabytes, "peak_rss_mb": peak}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=50_000, metavar="N")
    parser.add_argument("--only", choices=[*EXPORTERS, PEER], help="one format, and print JSON")
    arguments = parser.parse_args()
    if arguments.only:
        print(json.dumps(measure(arguments.only, arguments.images)))
        return
    print(
        f"{arguments.images:,} random 32 x 32 images; {platform.machine()}, Python {platform.python_version()}"
    )
    print(f"{'format':<28}{'write s':>9}{'+ manifest s':>14}{'CPU s':>8}{'files MB':>10}{'peak RSS MB':>13}")
    for name in [*EXPORTERS, PEER]:
        command = [sys.executable, __file__, "--images", str(arguments.images), "--only", name]
        figures = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        print(
            f"{name:<28}{figures['write_s']:>9.2f}{figures['total_s']:>14.2f}{figures['cpu_s']:>8.2f}"
            f"{figures['files_mb']:>10.1f}{figures['peak_rss_mb']:>13.0f}"
        )


if __name__ == "__main__":
    main()
