"""Rows that benchmarks store directly, in place of results that would take long to compute."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from synthaug.store import generations, jobs, models
from synthaug.store.database import Database
from synthaug.store.generations import Generation


def plant_model(db: Database, name: str) -> models.Model:
    """Store a classifier without a file, to which planted predictions and scores belong."""
    return models.add(
        db,
        name=name,
        recipe="none",
        revision="0" * 64,
        seed=0,
        view_id=None,
        file=f"models/{name}.safetensors",
        metrics={},
        environment={},
    )


def plant_network(path: Path) -> None:
    """Write a small classifier with random weights, which can be loaded."""
    import torch

    from synthaug.classifiers.fitted import FittedClassifier
    from synthaug.classifiers.networks import build, initialise
    from synthaug.classifiers.recipes import RECIPES

    recipe = RECIPES["digits"]
    network = build(recipe.network, 10)
    initialise(
        network, torch.Generator().manual_seed(0), torch.randn(8, 3, recipe.image_size, recipe.image_size)
    )
    path.parent.mkdir(exist_ok=True)
    names = [str(number) for number in range(10)]
    FittedClassifier(network, recipe, names, (0.5, 0.5, 0.5), (0.2, 0.2, 0.2)).save(path)


def plant_generations(db: Database, image_ids: Sequence[int], classes: int, a_job: int = 10_000) -> None:
    """Store that jobs of up to ``a_job`` images generated these, for one class after the other."""
    for first in range(0, len(image_ids), a_job):
        some = image_ids[first : first + a_job]
        job = jobs.submit(db, "planted", {}, len(some))
        jobs.finish(db, job, "done", result={})
        with db.transaction():
            for position, image_id in enumerate(some):
                made = Generation(
                    job_id=job,
                    position=position,
                    image_id=image_id,
                    class_index=position % classes,
                    prompt=f"a digit {position % classes}",
                    prompt_index=position,
                    slots={"NOUN": "digit"},
                    seed=position,
                    generator="planted",
                    revision="0" * 64,
                )
                generations.add(db, made)
