"""Accuracy on real test images of a classifier that has seen generated images alone, against one trained on real ones.

    python benchmarks/synthetic_only.py CIFAR10 FOLDER [--images 50000] [--generator embedded] [--guidance 2]
        [--recipe cifar10-fast] [--epochs N] [--seeds 2] [--workers 2] [--real]

CIFAR10 is any source that ``synthaug import`` reads. Every class gets the same number of images, drawn from the prompt
"a photo of a CLASS" and not selected. The workspace is kept in FOLDER, so that an interrupted run goes on, and a larger
``--images`` adds to the images that are there. ``--real`` also trains on as many real images with the same recipe.

Each worker computes with the number of threads of OMP_NUM_THREADS: 1 is the fastest where there is a worker per core.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

import synthaug
from synthaug.config import CIFAR10
from synthaug.executors.base import ExecutorSpec
from synthaug.hardware import describe_device
from synthaug.stages.generation_spec import GenerationSpec
from synthaug.stages.view import ViewSpec
from synthaug.store import generations, jobs


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=50_000)
    parser.add_argument("--generator", default="embedded")
    parser.add_argument("--guidance", type=float, default=2.0)
    parser.add_argument("--recipe", default="cifar10-fast")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--real", action="store_true", help="also train on as many real images")
    return parser.parse_args()


def main() -> None:
    options = parsed()
    print(f"{describe_device(torch.device('cpu'))}, torch {torch.__version__}")
    workspace = opened(options.folder, options.source)
    per_class = options.images // len(CIFAR10)
    for index, name in enumerate(CIFAR10):
        add_images(workspace, name, per_class, index, options)
    views = {
        "synthetic": ViewSpec(keep=dict.fromkeys(CIFAR10, 0), add_synthetic=dict.fromkeys(CIFAR10, per_class))
    }
    if options.real:
        views["real"] = ViewSpec(keep=dict.fromkeys(CIFAR10, per_class))
    for kind, spec in views.items():
        view = f"{kind}-{options.images}"
        workspace.view(view, spec)
        for seed in range(options.seeds):
            found = workspace.train(view, recipe=options.recipe, seed=seed, epochs=options.epochs)
            recalls = ", ".join(f"{name} {recall:.1%}" for name, recall in found.per_class.items())
            print(
                f"{view}, {found.recipe}, seed {seed}: {found.accuracy:.2%} of {found.test_images:,} ({recalls})"
            )


def opened(folder: Path, source: Path) -> synthaug.Session:
    """The workspace in ``folder``, made and filled with the real images if there is none."""
    if folder.exists():
        return synthaug.open(folder)
    workspace = synthaug.create(folder, preset="cifar10")
    workspace.import_images(source)
    return workspace


def add_images(
    workspace: synthaug.Session, label: str, count: int, index: int, options: argparse.Namespace
) -> None:
    """Draw what is missing to ``count`` images of the class with the position ``index`` among the classes."""
    db = workspace.workspace.db
    done = sum(
        len(generations.images_of_job(db, job.id))
        for job in jobs.latest(db, kinds=["generate"])
        if job.params["label"] == label
    )
    if done >= count:
        return
    spec = GenerationSpec(
        f"a photo of a {label}",
        label,
        count - done,
        generator=options.generator,
        guidance=options.guidance,
        seed=index + len(CIFAR10) * done,
    )
    drawn = workspace.generate(spec, executor=ExecutorSpec("processes", workers=options.workers))
    print(f"{label}: {len(drawn.images):,} images in {drawn.seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
