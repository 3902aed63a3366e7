"""Seconds and memory of each step of a workspace with 1,000, 10,000 and 100,000 images, and how they grow.

    python benchmarks/workspace_scale.py [--images 1000 10000 100000] [--steps "first page" verify ...] [--rows]
        [--runs 2] [--folder DIR]

The images are 8-px noise, half of them synthetic and half real, every fourth real one in the test split. A ninth has a
label; a classifier's predictions and the scores are planted as rows, and so are jobs whose prompts name the classes of
the synthetic images. Each step runs in a process of its own on a workspace that was planted before; figures are those
of the fastest of ``--runs`` runs. A step that touches every image should take ten times as long for ten times the
images: "growth" is how much more than that it takes (1.0: none). Steps that a person waits for should not grow at all.
``--rows`` plants no files, and leaves out the steps that need them; a million images take minutes in this way.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from planted import plant_generations, plant_model, plant_network

from synthaug.images import encode_png, pixel_hash
from synthaug.records import LabelEntry
from synthaug.workspace import Workspace

FEATURES, CLASSES = 64, 10
WAITED_FOR = ("first page", "label", "next items")
NEED_FILES = ("import", "export", "verify", "backup")
SOURCE = "source.parquet"


def plant(root: Path, count: int, *, files: bool) -> None:
    """A workspace with that many images."""
    from synthaug.store import label_log, models
    from synthaug.store.models import Score

    workspace = Workspace.create(root, (), "digits")
    rng = np.random.default_rng(0)
    plant_images(workspace, rng, count, files=files)
    ids = list(range(1, count + 1))
    plant_generations(workspace.db, ids[::2], CLASSES)
    marked = [LabelEntry(each, "class", "anna", "human", f"op-{each}", each % CLASSES) for each in ids[::9]]
    for first in range(0, len(marked), 1000):
        label_log.append(workspace.db, marked[first : first + 1000])
    model = plant_model(workspace.db, "m")
    plant_network(workspace.root / model.file)
    for first in range(0, count, 10_000):
        some = ids[first : first + 10_000]
        probs = rng.dirichlet(np.ones(CLASSES), len(some)).astype(np.float32)
        models.add_predictions(workspace.db, model.id, some, probs, rng.normal(size=(len(some), FEATURES)))
    scores = [Score(each, (0.1, 0.2), (0.3, 0.4), 0.5, 0.5, 0.5, 0.5, None) for each in ids]
    models.replace_scores(workspace.db, model.id, scores)
    workspace.db.close()
    if files:
        plant_source(root.parent / f"{root.name}-{SOURCE}", rng, count)


def plant_images(workspace: Workspace, rng: np.random.Generator, count: int, *, files: bool) -> None:
    """Rows of images and, if asked for, their files."""
    from synthaug.store import catalog

    with workspace.db.transaction():
        for number in range(count):
            pixels = rng.integers(0, 256, (8, 8, 3), np.uint8)
            sha256 = pixel_hash(pixels)
            if files:
                path = workspace.images.path(sha256)
                path.parent.mkdir(exist_ok=True, parents=True)
                path.write_bytes(encode_png(pixels, {}))
            catalog.add_image(
                workspace.db,
                sha256=sha256,
                size=(8, 8),
                split="test" if number % 8 == 7 else "train",
                origin="real" if number % 2 else "synthetic",
                source="planted",
            )


def plant_source(path: Path, rng: np.random.Generator, count: int) -> None:
    """A parquet file with as many other images, to be imported."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pictures = [encode_png(rng.integers(0, 256, (8, 8, 3), np.uint8), {}) for _ in range(count)]
    labels = [number % CLASSES for number in range(count)]
    table = pa.table({"image": [{"bytes": each, "path": None} for each in pictures], "label": labels})
    pq.write_table(table, path)


def import_source(workspace: Workspace, root: Path) -> None:
    from synthaug.stages.importing import import_images

    fresh = root.parent / f"imported-{time.time_ns()}"
    import_images(Workspace.create(fresh, (), "digits"), root.parent / f"{root.name}-{SOURCE}")
    shutil.rmtree(fresh)


def score(workspace: Workspace, root: Path) -> None:
    from synthaug.stages.score import score as compute

    compute(workspace, "m")


def first_page(workspace: Workspace, root: Path) -> None:
    from synthaug.reading import queue

    ids = queue.ordered_ids(workspace)
    queue.items(workspace, ids[:8])


def doubtful_page(workspace: Workspace, root: Path) -> None:
    from synthaug.reading import queue

    ids = queue.ordered_ids(workspace, "least-confident")
    queue.items(workspace, ids[:8])


def next_items(workspace: Workspace, root: Path) -> None:
    from synthaug.reading import queue

    for first in range(1, 201, 8):
        queue.items(workspace, list(range(first, first + 8)))


def label(workspace: Workspace, root: Path) -> None:
    from synthaug.store import label_log

    for number in range(100):
        entry = LabelEntry(1 + number * 10 % 900, "reject", "b", "human", f"l-{time.time_ns()}-{number}")
        label_log.append(workspace.db, [entry])


def overview(workspace: Workspace, root: Path) -> None:
    from synthaug.reading.overview import overview as read

    read(workspace)


def points(workspace: Workspace, root: Path) -> None:
    from synthaug.reading.explore import points as read

    read(workspace)


def view(workspace: Workspace, root: Path) -> None:
    from synthaug.stages.view import ViewSpec, make_view

    make_view(workspace, f"v{time.time_ns()}", ViewSpec())


def export(workspace: Workspace, root: Path) -> None:
    from synthaug.stages.export import export as write
    from synthaug.stages.view import ViewSpec, make_view

    name = f"e{time.time_ns()}"
    make_view(workspace, name, ViewSpec())
    write(workspace, root.parent / name, "folder", name)
    shutil.rmtree(root.parent / name)


def verify(workspace: Workspace, root: Path) -> None:
    from synthaug.stages.verify import verify as check

    check(workspace)


def backup(workspace: Workspace, root: Path) -> None:
    from synthaug.stages.backup import backup as copy

    place = root.parent / f"backup-{time.time_ns()}"
    copy(workspace, place)
    shutil.rmtree(place)


def suspects(workspace: Workspace, root: Path) -> None:
    from synthaug.reading import feature_space
    from synthaug.reading.suspects import suspects as find

    find(workspace, "disagreements", feature_space.load(workspace))


def all_predictions(workspace: Workspace, root: Path) -> None:
    from synthaug.store import models

    models.all_predictions(workspace.db, 1)


STEPS: dict[str, Callable[[Workspace, Path], None]] = {
    "import": import_source,
    "first page": first_page,
    "doubtful page": doubtful_page,
    "next items": next_items,
    "label": label,
    "overview": overview,
    "score": score,
    "points": points,
    "suspects": suspects,
    "view": view,
    "export": export,
    "verify": verify,
    "backup": backup,
    "predictions": all_predictions,
}


def measure(step: str, root: Path, runs: int) -> dict[str, float]:
    """Seconds (of the fastest run) and peak megabytes, in this process."""
    workspace = Workspace.open(root)
    before = peak_megabytes()
    seconds = []
    for _ in range(runs):
        began = time.perf_counter()
        STEPS[step](workspace, root)
        seconds.append(time.perf_counter() - began)
    return {"seconds": min(seconds), "mb": peak_megabytes() - before}


def peak_megabytes() -> float:
    """Most memory that this process has had; a parent's does not count, as it would in getrusage."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=list(STEPS))
    parser.add_argument(
        "--rows", action="store_true", help="no image files, and none of the steps that need them"
    )
    parser.add_argument("--runs", type=int, default=2, metavar="N", help="runs of each step")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="where workspaces are planted and kept")
    parser.add_argument("--only", nargs=2, metavar=("STEP", "ROOT"), help="in this process, as JSON")
    options = parser.parse_args()
    if options.only:
        print(json.dumps(measure(options.only[0], Path(options.only[1]), options.runs)))
        return
    with tempfile.TemporaryDirectory() as folder:
        roots = planted(options.folder or Path(folder), options.images, files=not options.rows)
        print(f"{'step':<14}" + "".join(f"{count:>14,} s{'MB':>7}" for count in roots) + "  growth")
        for step in (each for each in options.steps if not (options.rows and each in NEED_FILES)):
            found = {count: measure_apart(step, root, options.runs) for count, root in roots.items()}
            first, last = min(found), max(found)
            times = found[last]["seconds"] / found[first]["seconds"]
            growth = times if step in WAITED_FOR else times / (last / first)
            figures = "".join(f"{each['seconds']:>16.3f}{each['mb']:>7.0f}" for each in found.values())
            print(f"{step:<14}{figures}{growth:>8.1f}", flush=True)


def planted(folder: Path, counts: list[int], *, files: bool) -> dict[int, Path]:
    """Folders of workspaces with that many images; those that an earlier run left in ``folder`` are used again."""
    roots = {count: folder / f"w{count}{'' if files else '-rows'}" for count in counts}
    for count, root in roots.items():
        done = root.with_suffix(".done")
        if not done.exists():
            began = time.perf_counter()
            plant(root, count, files=files)
            done.touch()
            print(f"planted {count:,} in {time.perf_counter() - began:.0f} s", flush=True)
    return roots


def measure_apart(step: str, root: Path, runs: int) -> dict[str, float]:
    """:func:`measure` in a process of its own."""
    command = [sys.executable, __file__, "--only", step, str(root), "--runs", str(runs)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
