"""Training runs that are kept: each view, recipe and seed is trained once, and found again ever after."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import Any

from synthaug.classifiers.recipes import Recipe
from synthaug.progress import EpochProgress
from synthaug.running.environment import environment
from synthaug.stages.train import Dataset, TestSet, fit_and_measure, load_test_set, load_view
from synthaug.store import runs, views
from synthaug.workspace import Workspace


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
        self._test: dict[int, TestSet] = {}
        self._view: tuple[int, int, Dataset] | None = None

    def test_set(self, recipe: Recipe) -> TestSet:
        """The frozen real test set at the recipe's image size. Raises UserError if there is none."""
        size = recipe.image_size
        if size not in self._test:
            self._test[size] = load_test_set(self.workspace, size)
        return self._test[size]

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
        classifier, metrics = fit_and_measure(self.workspace, data, test, recipe, seed, keep, should_cancel)
        if keep_weights:
            classifier.save(self.weights(view, recipe, seed), half=True)
        metrics |= {"recipe": asdict(recipe), "history": history, "seconds": time.perf_counter() - began}
        return self.record(view, recipe, seed, metrics)

    def record(self, view: views.View, recipe: Recipe, seed: int, metrics: dict[str, Any]) -> runs.Run:
        """Store what was measured of a run."""
        return runs.add(
            self.workspace.db,
            seed=seed,
            metrics=metrics,
            environment=environment(),
            **self._key(view, recipe),
        )

    def weights(self, view: views.View, recipe: Recipe, seed: int) -> Path:
        """Where the classifier of a run is kept, if it is."""
        key = json.dumps([self._key(view, recipe), seed], sort_keys=True)
        return self.workspace.root / "runs" / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.safetensors"

    def _key(self, view: views.View, recipe: Recipe) -> dict[str, Any]:
        return {
            "view_id": view.id,
            "recipe": recipe_key(recipe),
            "test_fingerprint": self.test_set(recipe).fingerprint,
        }

    def _arrays(self, view: views.View, recipe: Recipe) -> Dataset:
        if self._view is None or self._view[:2] != (view.id, recipe.image_size):
            self._view = (view.id, recipe.image_size, load_view(self.workspace, view, recipe.image_size))
        return self._view[2]
