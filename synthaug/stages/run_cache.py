"""Training runs that are kept: each view, recipe and seed is trained once, and found again ever after."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthaug.classifiers.recipes import Recipe
from synthaug.executors import job_folder, load_executor
from synthaug.executors.base import ExecutorSpec, Files, Task, Work
from synthaug.files import write_atomically
from synthaug.measures.evidence import FEWEST_SEEDS
from synthaug.progress import EpochProgress
from synthaug.records import Framing
from synthaug.running.environment import environment
from synthaug.stages.inference import read_array, threads
from synthaug.stages.train import Dataset, TestSet, fit_and_measure, load_dataset, load_test_set
from synthaug.stages.training_runs import TEST, about
from synthaug.stages.weighing import Runs
from synthaug.store import catalog, looks, runs, views
from synthaug.workspace import Workspace

Trained = tuple[views.View, Recipe]
Wanted = tuple[views.View, Recipe, int]
"""What a run is trained on, how, and its seed."""

MAKER = "synthaug.stages.training_runs:Training"
Shape = tuple[int, Framing, bool]
"""How a recipe reads images: the side in pixels, what becomes of their shape, and whether as features."""


def recipe_key(recipe: Recipe) -> str:
    """NAME/EPOCHS/DIGEST: equal keys train alike, also when a later version changes what a name stands for.

    Fields at their defaults do not count, so that a new one leaves the keys of earlier runs as they are.
    """
    chosen = {
        each.name: getattr(recipe, each.name)
        for each in fields(recipe)
        if each.default is MISSING or getattr(recipe, each.name) != each.default
    }
    digest = hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()
    return f"{recipe.name}/{recipe.epochs}/{digest[:8]}"


class Trainer:
    """Trains what was not trained yet on the views of a workspace. Keeps the arrays of one view."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._test: dict[Shape, TestSet] = {}
        self._view: tuple[int, Shape, Dataset] | None = None

    def test_set(self, recipe: Recipe) -> TestSet:
        """The frozen real test set as the recipe reads it. Raises UserError if there is none."""
        shape = _shape(recipe)
        if shape not in self._test:
            self._test[shape] = load_test_set(self.workspace, recipe)
        return self._test[shape]

    def find(self, view: views.View, recipe: Recipe, seed: int) -> runs.Run | None:
        """The finished run, or None."""
        return runs.find(self.workspace.db, seed=seed, **self._key(view, recipe))

    def run(
        self,
        view: views.View,
        recipe: Recipe,
        seed: int,
        *,
        keep_weights: bool = False,
        progress: EpochProgress | None = None,
        should_cancel: Callable[[], bool] | None = None,
    ) -> runs.Run:
        """The finished run; trained now if there is none. ``keep_weights``: the classifier stays in ``weights``.

        Metrics: those of ``fit_and_measure``, and "recipe" (all fields), "history" (one entry an epoch), "seconds".
        """
        known = self.find(view, recipe, seed)
        if known is not None:
            return known
        history: list[dict[str, Any]] = []

        def keep(epoch: dict[str, Any]) -> None:
            history.append(epoch)
            if progress is not None:
                progress(epoch)

        began = time.perf_counter()
        test = self.test_set(recipe)
        data = self._arrays(view, recipe)
        classifier, metrics, log_probs = fit_and_measure(
            self.workspace.classes, data, test, recipe, seed, keep, should_cancel
        )
        save_predictions(self.predictions(view, recipe, seed), log_probs)
        if keep_weights:
            classifier.save(self.weights(view, recipe, seed), half=True)
        return self.record(view, recipe, seed, metrics | about(recipe, history, began))

    def run_all(
        self,
        wanted: Sequence[Wanted],
        executor: ExecutorSpec,
        *,
        keep_weights: Callable[[int], bool] = lambda seed: False,
        should_cancel: Callable[[], bool] | None = None,
    ) -> Iterator[tuple[Wanted, runs.Run]]:
        """Train what is missing of these runs wherever ``executor`` says, and store it; each run in their order.

        ``keep_weights``: by seed. Recipes that fit a head to stored features are trained here. Raises UserError,
        Cancelled; finished runs are kept.
        """
        missing = [each for each in wanted if self.find(*each) is None]
        for each in [each for each in missing if each[1].head_only]:
            yield each, self.run(*each, keep_weights=keep_weights(each[2]), should_cancel=should_cancel)
        tasks = {
            task.key: (task, each)
            for each in missing
            if not each[1].head_only
            for task in [self._task(*each, weights=keep_weights(each[2]))]
        }
        work = Work(MAKER, self._maker_params(wanted))
        folder = job_folder(executor, self.workspace.root, f"runs-{work.digest[:12]}", "")
        doing = load_executor(executor, folder).run(
            work, [task for task, _ in tasks.values()], should_cancel or (lambda: False)
        )
        for part in doing:
            if part.files:
                each = tasks[part.task.key][1]
                yield each, self._received(*each, part.files)

    def _task(self, view: views.View, recipe: Recipe, seed: int, *, weights: bool) -> Task:
        payload = {"set": str(view.id), "recipe": asdict(recipe), "seed": seed, "weights": weights}
        digest = hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()
        return Task(f"{view.id:06d}-{seed:06d}-{digest[:16]}", payload)

    def _maker_params(self, wanted: Sequence[Wanted]) -> dict[str, Any]:
        """What every worker is told once: the images of all sets."""
        workspace = self.workspace
        test = catalog.hashes_of_split(workspace.db, "test")
        sets = {TEST: {"hashes": [sha256 for sha256, _ in test], "labels": [label for _, label in test]}}
        for view in {view.id: view for view, _, _ in wanted}.values():
            held = views.members(workspace.db, view.id)
            sets[str(view.id)] = {
                "hashes": [each.sha256 for each in held],
                "labels": [each.class_index for each in held],
            }
        place = workspace.images.place
        return {"sets": sets, "classes": list(workspace.classes), "images": place, "threads": threads()}

    def _received(self, view: views.View, recipe: Recipe, seed: int, files: Files) -> runs.Run:
        """Store a run that was trained elsewhere."""
        save_predictions(self.predictions(view, recipe, seed), read_array(files["log_probs"]))
        if "weights" in files:
            write_atomically(self.weights(view, recipe, seed), files["weights"], durable=True)
        metrics, there = json.loads(files["run"])
        return self.record(view, recipe, seed, metrics, there | {"command": environment()["command"]})

    def record(
        self,
        view: views.View,
        recipe: Recipe,
        seed: int,
        metrics: dict[str, Any],
        where: dict[str, Any] | None = None,
    ) -> runs.Run:
        """Store what was measured of a run; ``where``: the environment of its process, None: this one's."""
        return runs.add(
            self.workspace.db,
            seed=seed,
            metrics=metrics,
            environment=where or environment(),
            **self._key(view, recipe),
        )

    def runs(self, view: views.View, recipe: Recipe, found: Sequence[runs.Run]) -> Runs:
        """Finished runs of a view, for ``weigh``; with what each said of every test image, where all have kept it."""
        labels = self.test_set(recipe).data.labels
        said = [read_predicted(self.predictions(view, recipe, each.seed)) for each in found]
        kept = [each for each in said if each is not None]
        correct = np.array(kept) == labels if len(kept) == len(said) else None
        return Runs(tuple(each.metrics for each in found), correct)

    def look(self, baseline: Trained, augmented: Trained, seeds: int) -> int:
        """Which look at these two training sets this is; too few seeds for a verdict are none."""
        if seeds < FEWEST_SEEDS:
            return 1
        return looks.look(self.workspace.db, [self._key(*baseline), self._key(*augmented)], seeds)

    def weights(self, view: views.View, recipe: Recipe, seed: int) -> Path:
        """Where the classifier of a run is kept, if it is."""
        return self._file(view, recipe, seed, "safetensors")

    def predictions(self, view: views.View, recipe: Recipe, seed: int) -> Path:
        """Where a run's log probabilities of the test images are kept; runs of earlier releases have none."""
        return self._file(view, recipe, seed, "predictions.safetensors")

    def _file(self, view: views.View, recipe: Recipe, seed: int, ending: str) -> Path:
        return run_file(self.workspace, self._key(view, recipe), seed, ending)

    def _key(self, view: views.View, recipe: Recipe) -> dict[str, Any]:
        return {
            "view_id": view.id,
            "recipe": recipe_key(recipe),
            "test_fingerprint": self.test_set(recipe).fingerprint,
        }

    def _arrays(self, view: views.View, recipe: Recipe) -> Dataset:
        if self._view is None or self._view[:2] != (view.id, _shape(recipe)):
            self._view = (view.id, _shape(recipe), load_dataset(self.workspace, view, recipe))
        return self._view[2]


def _shape(recipe: Recipe) -> Shape:
    return recipe.image_size, recipe.framing, recipe.head_only


def predictions_of(workspace: Workspace, run: runs.Run) -> NDArray[np.uint16] | None:
    """The class (N,) that a stored run named for each test image, in the order of its fingerprint; None: not kept."""
    key = {"view_id": run.view_id, "recipe": run.recipe, "test_fingerprint": run.test_fingerprint}
    return read_predicted(run_file(workspace, key, run.seed, "predictions.safetensors"))


def run_file(workspace: Workspace, run_key: dict[str, Any], seed: int, ending: str) -> Path:
    """Where a file of a run lies: its name is a hash of what identifies the run."""
    key = json.dumps([run_key, seed], sort_keys=True)
    return workspace.root / "runs" / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.{ending}"


def save_predictions(path: Path, log_probs: NDArray[np.float32]) -> None:
    """Keep log probabilities (N, K) in half precision and the classes they name, in one step: 22 bytes if K is 10."""
    from safetensors.numpy import save

    least = float(np.finfo(np.float16).min)
    tensors = {
        "log_probs": log_probs.clip(least).astype(np.float16),
        "predicted": log_probs.argmax(1).astype(np.uint16),
    }
    write_atomically(path, save(tensors))


def read_predicted(path: Path) -> NDArray[np.uint16] | None:
    """The class (N,) that a run named for each test image in the order of its fingerprint; None if it was not kept."""
    from safetensors.numpy import load_file

    return load_file(path)["predicted"] if path.is_file() else None
