"""Training runs in any process; a worker needs only the lists of images and the image files."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from synthaug.classifiers.recipes import Recipe
from synthaug.parsing import JsonRecord
from synthaug.progress import EpochReport
from synthaug.records import Framing, ImagePlace, Json
from synthaug.running.environment import environment
from synthaug.stages.inference import array_bytes, use_threads
from synthaug.stages.pixels import levels, read_file
from synthaug.stages.train import Dataset, TestSet, fit_and_measure
from synthaug.store.image_store import ImageStore

TEST = "test"
"""The name of the set on which every run is measured."""


@dataclass(frozen=True, slots=True)
class ImageSet(JsonRecord):
    """The images of a set by SHA-256 (N), their class indices (N), and the places of those that are synthetic."""

    hashes: tuple[str, ...]
    labels: tuple[int, ...]
    synthetic: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class RunTask(JsonRecord):
    """One run to train: the name of its training set, its recipe and seed, and whether to return the weights."""

    set: str
    recipe: Recipe
    seed: int
    weights: bool


class RunRecord(TypedDict):
    """What is stored with the metrics of a run: all fields of its recipe, one entry per epoch, and its duration."""

    recipe: Json
    history: list[EpochReport]
    seconds: float


class Training:
    """Trains and measures one run per task; a maker of :mod:`synthaug.executors`.

    ``sets`` is the JSON of each :class:`ImageSet` by name; one of them is :data:`TEST`. ``images`` is the folder of
    images of the workspace, ``threads`` the number of threads of torch.
    """

    def __init__(
        self, sets: Mapping[str, Json], classes: Sequence[str], images: ImagePlace, threads: int
    ) -> None:
        use_threads(threads)
        self._sets = {name: ImageSet.from_json(each) for name, each in sets.items()}
        self._classes = tuple(classes)
        self._images = ImageStore.at(images)
        # the test set and the last training set, with their sizes and framings
        self._loaded: dict[str, tuple[tuple[int, Framing], Dataset]] = {}

    def make(self, payload: Any, should_cancel: Callable[[], bool]) -> Iterator[Mapping[str, bytes]]:
        """The files of a run: metrics, log probabilities of the test images (N, K), and weights if wanted.

        ``payload`` is the JSON of a :class:`RunTask`.
        """
        task, began = RunTask.from_json(payload), time.perf_counter()
        recipe = task.recipe
        test = TestSet(self._dataset(TEST, recipe), "")
        data = self._dataset(task.set, recipe)
        history: list[EpochReport] = []
        classifier, metrics, log_probs = fit_and_measure(
            self._classes, data, test, recipe, task.seed, history.append, should_cancel
        )
        figures = {**metrics, **about(recipe, history, began)}
        files = {"run": json.dumps([figures, environment()]).encode(), "log_probs": array_bytes(log_probs)}
        if task.weights:
            with tempfile.TemporaryDirectory() as folder:
                classifier.save(Path(folder) / "weights", half=True)
                files["weights"] = (Path(folder) / "weights").read_bytes()
        yield files

    def _dataset(self, name: str, recipe: Recipe) -> Dataset:
        held = self._loaded.get(name)
        if held is None or held[0] != (recipe.image_size, recipe.framing):
            chosen = self._sets[name]
            pixels = levels(
                partial(read_file, self._images), chosen.hashes, recipe.image_size, recipe.framing
            )
            labels = np.array(chosen.labels, np.int64)
            synthetic = np.zeros(len(labels), np.bool_)
            synthetic[list(chosen.synthetic)] = True
            data = Dataset(pixels, labels, synthetic, 8 * pixels.itemsize)
            held = ((recipe.image_size, recipe.framing), data)
            self._loaded = {key: value for key, value in self._loaded.items() if key == TEST} | {name: held}
        return held[1]


def about(recipe: Recipe, history: Sequence[EpochReport], began: float) -> RunRecord:
    """The record of a run that started at ``began`` (of time.perf_counter)."""
    return {"recipe": asdict(recipe), "history": list(history), "seconds": time.perf_counter() - began}
