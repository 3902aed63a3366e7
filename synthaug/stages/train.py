"""Train one classifier on a view and measure it on the frozen real test set."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthaug.classifiers.fit import fit
from synthaug.classifiers.fitted import FittedClassifier
from synthaug.classifiers.recipes import Loss, Recipe, Selection, find_recipe
from synthaug.config import DEFAULT_RECIPE, FALLBACK_RECIPE
from synthaug.errors import UserError
from synthaug.names import check_name
from synthaug.progress import EpochProgress
from synthaug.running.environment import environment
from synthaug.running.jobs import JobContext
from synthaug.stages.measuring import figures_of
from synthaug.stages.pixels import load_pixels
from synthaug.stages.seeds import check_seed
from synthaug.stages.test_split import fingerprint
from synthaug.store import catalog, models, views
from synthaug.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Dataset:
    """Images (N, S, S, 3) uint8 and class indices (N,)."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TestSet:
    """The real test images; ``fingerprint`` is the SHA-256 over their sorted hashes and labels."""

    __test__ = False  # not a test class, whatever pytest thinks of its name

    data: Dataset
    fingerprint: str


def default_recipe(workspace: Workspace) -> str:
    """The recipe that fits the workspace's preset."""
    return DEFAULT_RECIPE.get(workspace.preset, FALLBACK_RECIPE)


def train(
    workspace: Workspace,
    view: str,
    recipe: str | None = None,
    seed: int = 0,
    name: str | None = None,
    progress: EpochProgress | None = None,
    should_cancel: Callable[[], bool] | None = None,
    epochs: int | None = None,
    selection: Selection | None = None,
    loss: Loss | None = None,
) -> models.Model:
    """Train, measure on the test split, and store the model under ``name`` (default: VIEW-RECIPE-SEED).

    ``epochs`` shortens or lengthens the recipe; ``selection`` is which epoch's weights are kept, ``loss`` what
    is minimised (default: the recipe's). Raises UserError for missing data or a taken name.
    """
    check_seed(seed)
    chosen = resolve_recipe(workspace, recipe, epochs, selection, loss)
    frozen = views.by_name(workspace.db, view)
    name = check_name(name, "a model") if name else f"{view}-{chosen.name}-{seed}"
    if name in models.names(workspace.db):
        raise UserError(f"a model called {name!r} exists; choose another with --name, or another --seed")
    test = load_test_set(workspace, chosen.image_size)
    data = load_view(workspace, frozen, chosen.image_size)
    classifier, measured, _ = fit_and_measure(workspace, data, test, chosen, seed, progress, should_cancel)
    path = workspace.root / "models" / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.safetensors"
    classifier.save(path)
    return models.add(
        workspace.db,
        name=name,
        recipe=chosen.name,
        revision=classifier.revision,
        seed=seed,
        view_id=frozen.id,
        file=path.relative_to(workspace.root).as_posix(),
        metrics={**measured, "test_fingerprint": test.fingerprint, "epochs": chosen.epochs},
        environment=environment(),
    )


def run(context: JobContext) -> dict[str, Any]:
    """The job form of :func:`train`."""
    history = list(context.result.get("history", []))

    def progress(epoch: dict[str, Any]) -> None:
        history.append({"run": context.job.params["view"], **epoch})
        context.progress(epoch["epoch"], epoch["epochs"], f"epoch {epoch['epoch']}", history=history)

    model = train(
        context.workspace, **context.job.params, progress=progress, should_cancel=context.should_cancel
    )
    return {"model": model.name, "accuracy": model.metrics["accuracy"]}


def resolve_recipe(
    workspace: Workspace,
    recipe: str | None,
    epochs: int | None = None,
    selection: Selection | None = None,
    loss: Loss | None = None,
) -> Recipe:
    """A recipe by name (default: the workspace's), with whatever else is given in the place of its own."""
    chosen = find_recipe(recipe or default_recipe(workspace))
    chosen = replace(chosen, selection=selection or chosen.selection, loss=loss or chosen.loss)
    return chosen if epochs is None else chosen.for_epochs(epochs)


def fit_and_measure(
    workspace: Workspace,
    data: Dataset,
    test: TestSet,
    recipe: Recipe,
    seed: int,
    progress: EpochProgress | None = None,
    should_cancel: Callable[[], bool] | None = None,
) -> tuple[FittedClassifier, dict[str, Any], NDArray[np.float32]]:
    """One training run: the classifier of the epoch that the recipe selects, its test figures, its scores.

    The figures are JSON-ready; the scores are log probabilities (N, K) of the test images in their order. Selection
    "test" is the published habit: it flatters, for the test set chose the epoch.
    """
    classes = workspace.classes
    classifier = fit(
        data.images,
        data.labels,
        len(classes),
        recipe,
        seed,
        class_names=classes,
        progress=progress,
        should_cancel=should_cancel,
        selection_set=(test.data.images, test.data.labels) if recipe.selection == "test" else None,
    )
    log_probs = classifier.log_probabilities(test.data.images)
    figures = {**figures_of(log_probs, test.data.labels), "train_images": len(data.labels)}
    return classifier, figures, log_probs


def load_view(workspace: Workspace, view: views.View, size: int) -> Dataset:
    """A view as arrays, in its frozen order."""
    members = views.members(workspace.db, view.id)
    images = load_pixels(workspace, [member.sha256 for member in members], size)
    return Dataset(images, np.array([member.class_index for member in members], np.int64))


def load_test_set(workspace: Workspace, size: int) -> TestSet:
    """The labeled real images of the test split, ordered by hash. Raises UserError if there are none."""
    rows = catalog.hashes_of_split(workspace.db, "test")
    if not rows:
        raise UserError("no labeled real test images; import some with: synthaug import SRC --split test")
    images = load_pixels(workspace, [sha256 for sha256, _ in rows], size)
    labels = np.array([class_index for _, class_index in rows], np.int64)
    return TestSet(Dataset(images, labels), fingerprint(rows))
