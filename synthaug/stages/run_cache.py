"""Training runs are stored, so that no view, recipe and seed is trained twice."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthaug.classifiers.recipes import Recipe
from synthaug.executors import job_folder, load_executor
from synthaug.executors.base import ExecutorSpec, Files, Task, Work
from synthaug.files import write_atomically
from synthaug.measures.evidence import FEWEST_SEEDS
from synthaug.parsing import as_json
from synthaug.progress import EpochProgress, EpochReport
from synthaug.records import Environment, Framing, Json
from synthaug.running.environment import environment
from synthaug.stages.inference import read_array, threads
from synthaug.stages.train import Dataset, TestSet, fit_and_measure, load_dataset, load_test_set
from synthaug.stages.training_runs import TEST, ImageSet, RunTask, about
from synthaug.stages.weighing import Runs
from synthaug.store import catalog, looks, runs, views
from synthaug.store.runs import RunKey
from synthaug.workspace import Workspace

Arm = tuple[views.View, Recipe]
"""One side of a comparison: the view that its runs are trained on, and their recipe."""

Run = tuple[views.View, Recipe, int]
"""The view that a run is trained on, its recipe and its seed."""

MAKER = "synthaug.stages.training_runs:Training"
InputShape = tuple[int, Framing, bool]
"""How a recipe reads images: at which side in pixels, in which framing, and whether as stored features."""


def recipe_key(recipe: Recipe) -> str:
    """NAME/EPOCHS/DIGEST: recipes with equal keys train alike, even if a later release changes what a name stands for.

    Fields at their defaults are left out, so that a new field does not change the keys of earlier runs.
    """
    chosen = {
        each.name: getattr(recipe, each.name)
        for each in fields(recipe)
        if each.default is MISSING or getattr(recipe, each.name) != each.default
    }
    digest = hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()
    return f"{recipe.name}/{recipe.epochs}/{digest[:8]}"


class Trainer:
    """Trains on the views of a workspace what has not been trained before; holds the images of one view in memory."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._test: dict[InputShape, TestSet] = {}
        self._view: tuple[int, InputShape, Dataset] | None = None

    def test_set(self, recipe: Recipe) -> TestSet:
        """The frozen real test set, as the recipe reads it. Raises UserError if there is none."""
        shape = _shape(recipe)
        if shape not in self._test:
            self._test[shape] = load_test_set(self.workspace, recipe)
        return self._test[shape]

    def find(self, view: views.View, recipe: Recipe, seed: int) -> runs.Run | None:
        """The finished run, or None."""
        return runs.find(self.workspace.db, self._key(view, recipe), seed)

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
        """The finished run, which is trained now if there is none. ``keep_weights`` also stores its classifier.

        Its metrics are those of ``fit_and_measure`` and of :class:`.training_runs.RunRecord`. Raises Cancelled.
        """
        known = self.find(view, recipe, seed)
        if known is not None:
            return known
        history: list[EpochReport] = []

        def keep(epoch: EpochReport) -> None:
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
        wanted: Sequence[Run],
        executor: ExecutorSpec,
        *,
        keep_weights: Callable[[int], bool] = lambda seed: False,
        should_cancel: Callable[[], bool] | None = None,
    ) -> Iterator[tuple[Run, runs.Run]]:
        """Train the missing ones of these runs with ``executor``, and store them; yields each in their order.

        ``keep_weights`` says for which seeds the classifier is stored. Recipes that fit a head to stored features are
        trained in this process. Raises UserError and Cancelled; finished runs are kept.
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
        payload = RunTask(str(view.id), recipe, seed, weights).to_json()
        digest = hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()
        return Task(f"{view.id:06d}-{seed:06d}-{digest[:16]}", payload)

    def _maker_params(self, wanted: Sequence[Run]) -> Json:
        """The parameters of :class:`.training_runs.Training`, which every worker gets once: the images of all sets."""
        db = self.workspace.db
        tested = catalog.hashes_of_split(db, "test")
        sets = {TEST: ImageSet(tuple(sha256 for sha256, _ in tested), tuple(label for _, label in tested))}
        for view_id in dict.fromkeys(view.id for view, _, _ in wanted):
            members = views.members(db, view_id)
            sets[str(view_id)] = ImageSet(
                tuple(each.sha256 for each in members),
                tuple(each.class_index for each in members),
                tuple(place for place, each in enumerate(members) if each.origin == "synthetic"),
            )
        return {
            "sets": as_json(sets),
            "classes": list(self.workspace.classes),
            "images": self.workspace.images.place,
            "threads": threads(),
        }

    def _received(self, view: views.View, recipe: Recipe, seed: int, files: Files) -> runs.Run:
        """Store a run that a worker trained."""
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
        metrics: Json,
        where: Environment | None = None,
    ) -> runs.Run:
        """Store the metrics of a run, with the environment of its process (None: of this one)."""
        return runs.add(
            self.workspace.db,
            self._key(view, recipe),
            seed,
            metrics=metrics,
            environment=where or environment(),
        )

    def runs(self, recipe: Recipe, found: Sequence[runs.Run]) -> Runs:
        """Finished runs for ``weigh``, with the correctness of each test image if all runs recorded it."""
        labels = self.test_set(recipe).data.labels
        stored = [predictions_of(self.workspace, each) for each in found]
        known = [each for each in stored if each is not None]
        correct = np.array(known) == labels if len(known) == len(stored) else None
        return Runs(tuple(each.metrics for each in found), correct)

    def look(self, baseline: Arm, augmented: Arm, seeds: int) -> int:
        """The number of this look at two sides, counted from 1; too few seeds for a verdict do not count as a look."""
        if seeds < FEWEST_SEEDS:
            return 1
        return looks.look(self.workspace.db, self._key(*baseline), self._key(*augmented), seeds)

    def weights(self, view: views.View, recipe: Recipe, seed: int) -> Path:
        """The path of the classifier of a run, which exists only if it was stored."""
        return self._file(view, recipe, seed, "safetensors")

    def predictions(self, view: views.View, recipe: Recipe, seed: int) -> Path:
        """The path of the log probabilities of the test images; runs of the first releases have none."""
        return self._file(view, recipe, seed, "predictions.safetensors")

    def _file(self, view: views.View, recipe: Recipe, seed: int, ending: str) -> Path:
        return run_file(self.workspace, self._key(view, recipe), seed, ending)

    def _key(self, view: views.View, recipe: Recipe) -> RunKey:
        return RunKey(view.id, recipe_key(recipe), self.test_set(recipe).fingerprint)

    def _arrays(self, view: views.View, recipe: Recipe) -> Dataset:
        if self._view is None or self._view[:2] != (view.id, _shape(recipe)):
            self._view = (view.id, _shape(recipe), load_dataset(self.workspace, view, recipe))
        return self._view[2]


def _shape(recipe: Recipe) -> InputShape:
    return recipe.image_size, recipe.framing, recipe.head_only


def predictions_of(workspace: Workspace, run: runs.Run) -> NDArray[np.uint16] | None:
    """The class (N,) that a stored run predicted for each test image, in the order of its fingerprint, or None."""
    return read_predicted(run_file(workspace, run.key, run.seed, "predictions.safetensors"))


def run_file(workspace: Workspace, key: RunKey, seed: int, ending: str) -> Path:
    """The path of a file of a run, whose name is a hash of the key and the seed."""
    text = json.dumps([key.to_json(), seed], sort_keys=True)
    return workspace.root / "runs" / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.{ending}"


def save_predictions(path: Path, log_probs: NDArray[np.float32]) -> None:
    """Write log probabilities (N, K) in half precision and the predicted classes; 22 bytes per image at K = 10."""
    from safetensors.numpy import save

    least = float(np.finfo(np.float16).min)
    tensors = {
        "log_probs": log_probs.clip(least).astype(np.float16),
        "predicted": log_probs.argmax(1).astype(np.uint16),
    }
    write_atomically(path, save(tensors))


def read_predicted(path: Path) -> NDArray[np.uint16] | None:
    """The class (N,) that a run predicted for each test image, in the order of its fingerprint; None without a file."""
    from safetensors.numpy import load_file

    return load_file(path)["predicted"] if path.is_file() else None
