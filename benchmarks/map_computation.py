"""Computing the map of many images as the app does: how long each part takes, and how soon a cancelled run ends.

    python benchmarks/map_computation.py [--images 100000] [--features 1280]

The benchmark plants images without files and random features in ten clusters in place of those of EfficientNet-Lite0,
and runs score jobs in the process in which the app runs its jobs, at the same low priority. It cancels one run in each
part and lets one finish. It prints the seconds from the request to cancel until the job has ended, the time of each
part, and the longest time without a report of progress, which is the longest that a cancel can take.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from synthaug.features import DEFAULT_EXTRACTOR
from synthaug.running.job_process import JobProcess
from synthaug.stages import handlers
from synthaug.stages.inference import extractor_of
from synthaug.stages.job_process import MODULE
from synthaug.store import catalog, features, jobs
from synthaug.workspace import Workspace

CLASSES = tuple(f"class {index}" for index in range(10))
POLL_SECONDS = 0.05
PAGE = 10_000  # images whose features are made at once
CANCELLED_IN = ("rows with their neighbours", "epochs", "distances", "near-duplicates")


def plant(workspace: Workspace, count: int, width: int) -> None:
    """Two thirds real and one third synthetic images, and features (count, width)."""
    rng = np.random.default_rng(0)
    classes = rng.integers(0, len(CLASSES), count)
    ids = []
    with workspace.db.transaction():
        for number in range(count):
            image_id, _ = catalog.add_image(
                workspace.db,
                sha256=hashlib.sha256(str(number).encode()).hexdigest(),
                size=(32, 32),
                split="train",
                origin="synthetic" if number % 3 == 0 else "real",
                source="planted",
            )
            ids.append(image_id)
    network = extractor_of(DEFAULT_EXTRACTOR, catalog.usual_side(workspace.db), catalog.framing(workspace.db))
    held = features.feature_set(workspace.db, DEFAULT_EXTRACTOR, network.revision, width)
    centres = rng.normal(size=(len(CLASSES), width)).astype(np.float32)
    for start in range(0, count, PAGE):
        rows = centres[classes[start : start + PAGE]]
        rows = rows + rng.standard_normal(rows.shape, np.float32)
        features.append(
            workspace.db, workspace.features_folder, held, ids[start : start + PAGE], rows.astype(np.float16)
        )


def cancelled(workspace: Workspace, part: str) -> float:
    """Seconds from the request to cancel, made in this part, until the job has ended."""
    job_id = handlers.submit_score(workspace, refit=part in CANCELLED_IN[:2])
    while part not in (job := jobs.get(workspace.db, job_id)).note:
        if job.state not in ("queued", "running"):
            raise SystemExit(f"the job was {job.state} before {part!r}: {job.error}")
        time.sleep(POLL_SECONDS)
    asked = time.perf_counter()
    jobs.request_cancel(workspace.db, job_id)
    while (state := jobs.get(workspace.db, job_id).state) == "running":
        time.sleep(POLL_SECONDS)
    if state != "cancelled":
        raise SystemExit(f"the job was {state} before it could be cancelled")
    return time.perf_counter() - asked


def finished(workspace: Workspace) -> tuple[dict[str, float], float, str]:
    """Seconds of each part of a whole run, the longest time without a report, and the note before it."""
    job_id = handlers.submit_score(workspace, refit=True)
    parts: dict[str, float] = {}
    longest, before = 0.0, ""
    note, since = "", time.perf_counter()
    while (job := jobs.get(workspace.db, job_id)).state in ("queued", "running"):
        if job.note != note:
            waited = time.perf_counter() - since
            name = part_of(note)
            parts[name] = parts.get(name, 0.0) + waited
            if note and waited > longest:
                longest, before = waited, note
            note, since = job.note, time.perf_counter()
        time.sleep(POLL_SECONDS)
    parts[part_of(note)] = parts.get(part_of(note), 0.0) + time.perf_counter() - since
    if job.state != "done":
        raise SystemExit(f"the job was {job.state}: {job.error}")
    return parts, longest, before


def part_of(note: str) -> str:
    """The part of a note, without its counts."""
    name, _, counted = note.partition(": ")
    return f"{name}: {counted.split(maxsplit=3)[-1]}" if counted else name or "starting"


def measure(workspace: Workspace) -> None:
    """Cancel runs and finish one, and print the times."""

    def cancel(part: str) -> None:
        print(f"cancelled in {part!r}: ended after {cancelled(workspace, part):.1f} s", flush=True)

    for part in CANCELLED_IN[:2]:
        cancel(part)
    parts, longest, before = finished(workspace)
    for name, seconds in parts.items():
        print(f"{name:<50} {seconds:7.1f} s")
    print(f"{'whole run':<50} {sum(parts.values()):7.1f} s")
    print(f"longest without a report: {longest:.1f} s, after {before!r}", flush=True)
    for part in CANCELLED_IN[2:]:
        cancel(part)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=100_000, metavar="N")
    parser.add_argument("--features", type=int, default=1280, metavar="D")
    options = parser.parse_args()
    print(f"{options.images:,} images of {options.features:,} features; {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.create(Path(folder) / "work", CLASSES)
        plant(workspace, options.images, options.features)
        with workspace.lock("benchmark") as lock:
            worker = JobProcess(workspace, MODULE, lock)
            worker.start()
            try:
                measure(workspace)
            finally:
                worker.stop()
        print(f"load average of the machine {os.getloadavg()[0]:.1f}")
        workspace.db.close()


if __name__ == "__main__":
    main()
