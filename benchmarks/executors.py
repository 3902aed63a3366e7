"""What the head costs an image, and how much of N workers' time is work: a maker that only waits, and one that draws.

    python benchmarks/executors.py [--workers 1 2 4 8 16 32 64] [--seconds 0.5] [--ray] [--images 2000]

Efficiency: a maker that waits a fixed time a task, so that cores are no limit. The share of the workers' time that was
work, from the moment when the last of them began until the head held every file: hand-outs, shards and the uneven end
count against it, starting the workers does not and is printed beside it.
Head: 32-px images that are drawn before, through ``generate``'s own way from a shard into a workspace:
read, check, write the image file, write the rows, wait for the disk.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from synthaug.executors import load_executor
from synthaug.executors.base import ExecutorSpec, Task, Work
from synthaug.executors.shards import Shards
from synthaug.images import encode_png, pixel_hash
from synthaug.running.environment import environment
from synthaug.storage import open_folder

SHARD = 64  # images a shard of the head's measurement
ROUNDS = 3
TASKS = 20  # a worker


class Waits:
    """Waits a fixed time, and says who did from when to when (seconds of the machine's clock)."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def make(self, payload: Any, should_cancel: Callable[[], bool]) -> Iterator[dict[str, bytes]]:
        began = time.monotonic()
        time.sleep(self._seconds)
        yield {"times": json.dumps([os.getpid(), began, time.monotonic()]).encode()}


def efficiency(spec: ExecutorSpec, seconds: float, folder: Path) -> tuple[float, float]:
    """Share of the workers' time that was work, 0 .. 1, and the seconds until all of them had begun."""
    workers = spec.workers or 1
    tasks = [Task(f"{number:05d}") for number in range(workers * TASKS)]
    executor = load_executor(spec, open_folder(folder / f"{spec.name}-{workers}"))
    work = Work(f"{Path(__file__).stem}:Waits", {"seconds": seconds})
    began = time.monotonic()
    times = [json.loads(part.files["times"]) for part in executor.run(work, tasks, lambda: False)]
    ended = time.monotonic()
    first: dict[int, float] = {}
    for pid, start, _ in times:
        first[pid] = min(start, first.get(pid, start))
    ready = max(first.values())
    busy = sum(max(0.0, stop - max(start, ready)) for _, start, stop in times)
    return busy / (workers * (ended - ready)), ready - began


def head_milliseconds(images: int, folder: Path) -> dict[str, float]:
    """Milliseconds an image in the head, medians over the rounds: in all, and without waiting for the disk."""
    found: dict[str, list[float]] = {"in all": [], "without fsync": []}
    for number in range(ROUNDS):
        for name, durable in (("in all", True), ("without fsync", False)):
            seconds = _one_head(images, folder / f"{name}-{number}", durable)
            found[name].append(1000 * seconds / images)
    return {name: statistics.median(values) for name, values in found.items()}


def _one_head(images: int, root: Path, durable: bool) -> float:
    from synthaug.stages import generate
    from synthaug.stages.drawing import read_files
    from synthaug.stages.generation_spec import GenerationSpec
    from synthaug.store import jobs
    from synthaug.workspace import Workspace

    workspace = Workspace.create(root, (), "digits")
    spec = GenerationSpec("an eight", "8", images, generator="digits")
    job = jobs.get(workspace.db, generate.submit(workspace, spec))
    if not durable:
        workspace.images.flush = lambda: None  # type: ignore[method-assign]
        workspace.db.connection.execute("PRAGMA synchronous = OFF")
    shards = Shards(open_folder(root / "made"))
    tasks = [Task(f"{first:06d}") for first in range(0, images, SHARD)]
    for task in tasks:
        shards.write(task, _drawn(int(task.key), min(int(task.key) + SHARD, images)))
    from synthaug.running.jobs import JobContext

    context = JobContext(workspace, job)
    began = time.perf_counter()
    for task in tasks:
        generate._store(context, spec, read_files(shards.read(task)))
        shards.remove(task)
    return time.perf_counter() - began


def _drawn(first: int, stop: int) -> dict[str, bytes]:
    """Shards as the digits model would leave them: noise, which no PNG compresses."""
    files = {}
    for position in range(first, stop):
        pixels = np.random.default_rng(position).integers(0, 256, (32, 32, 3), np.uint8)
        facts = {
            "sha256": pixel_hash(pixels),
            "size": [32, 32],
            "prompt": {"index": 0, "text": "an eight", "slots": {}},
            "text": "an eight",
            "seed": position,
            "generator": "digits",
            "revision": "0" * 64,
            "details": {},
            "cut": "",
        }
        files[f"{position:010d}.png"] = encode_png(pixels, {"Origin": "synthetic"})
        files[f"{position:010d}.json"] = json.dumps(facts).encode()
    return files


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32, 64])
    parser.add_argument("--seconds", type=float, default=0.5, help="of a task")
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--ray", action="store_true", help="a local Ray cluster as well")
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)  # workers find the maker
    print(
        {key: value for key, value in environment().items() if key in ("synthaug", "hardware", "memory_gib")}
    )
    with tempfile.TemporaryDirectory() as root:
        head = head_milliseconds(options.images, Path(root))
        print(
            "head, ms an image: " + ", ".join(f"{value:.2f} {name}" for name, value in head.items()),
            flush=True,
        )
        for name in ("processes", "ray") if options.ray else ("processes",):
            for workers in options.workers:
                spec = ExecutorSpec(name, workers, address="local" if name == "ray" else "")
                share, start = efficiency(spec, options.seconds, Path(root))
                print(
                    f"{name:<10}{workers:>4} workers: {100 * share:5.1f}%, {start:.1f} s to start", flush=True
                )


if __name__ == "__main__":
    main()
