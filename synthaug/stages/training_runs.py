"""Training runs in whatever process: what a worker needs is which images a set has, and the image files."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from synthaug.classifiers.recipes import Recipe
from synthaug.records import Framing, ImagePlace
from synthaug.running.environment import environment
from synthaug.stages.inference import array_bytes, use_threads
from synthaug.stages.pixels import levels, read_file
from synthaug.stages.train import Dataset, TestSet, fit_and_measure
from synthaug.store.image_store import ImageStore

TEST = "test"
"""The name of the set that every run is measured on."""


class Training:
    """Trains and measures one run a task; a maker of :mod:`synthaug.executors`.

    ``sets``: SHA-256 ("hashes") and class indices ("labels") of the images, by name; one of them is :data:`TEST`.
    """

    def __init__(
        self, sets: Mapping[str, Mapping[str, Any]], classes: Sequence[str], images: ImagePlace, threads: int
    ) -> None:
        use_threads(threads)
        self._sets = sets
        self._classes = tuple(classes)
        self._images = ImageStore.at(images)
        # the test set and the last training set, with their sizes and framings
        self._loaded: dict[str, tuple[tuple[int, Framing], Dataset]] = {}

    def make(self, payload: Any, should_cancel: Callable[[], bool]) -> Iterator[Mapping[str, bytes]]:
        """The files of a run: figures, log probabilities of the test images (N, K), weights where they are kept.

        ``payload``: "set", "recipe" (all fields), "seed" and "weights" (whether they are kept).
        """
        recipe, began = Recipe(**payload["recipe"]), time.perf_counter()
        test = TestSet(self._dataset(TEST, recipe), "")
        data = self._dataset(payload["set"], recipe)
        history: list[dict[str, Any]] = []
        classifier, metrics, log_probs = fit_and_measure(
            self._classes, data, test, recipe, payload["seed"], history.append, should_cancel
        )
        figures = {**metrics, **about(recipe, history, began)}
        files = {"run": json.dumps([figures, environment()]).encode(), "log_probs": array_bytes(log_probs)}
        if payload["weights"]:
            with tempfile.TemporaryDirectory() as folder:
                classifier.save(Path(folder) / "weights", half=True)
                files["weights"] = (Path(folder) / "weights").read_bytes()
        yield files

    def _dataset(self, name: str, recipe: Recipe) -> Dataset:
        held = self._loaded.get(name)
        if held is None or held[0] != (recipe.image_size, recipe.framing):
            chosen = self._sets[name]
            pixels = levels(
                partial(read_file, self._images), chosen["hashes"], recipe.image_size, recipe.framing
            )
            labels = np.array(chosen["labels"], np.int64)
            held = ((recipe.image_size, recipe.framing), Dataset(pixels, labels, 8 * pixels.itemsize))
            self._loaded = {key: value for key, value in self._loaded.items() if key == TEST} | {name: held}
        return held[1]


def about(recipe: Recipe, history: Sequence[Mapping[str, Any]], began: float) -> dict[str, Any]:
    """What is kept with the figures of a run: its recipe, an entry an epoch, and seconds since ``began``."""
    return {"recipe": asdict(recipe), "history": list(history), "seconds": time.perf_counter() - began}
