"""Training a classifier on a view, and measuring it on the frozen real test set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from synthaug.classifiers.recipes import Loss, Recipe, Selection, SyntheticUse, find_recipe
from synthaug.config import (
    DEFAULT_RECIPE,
    FALLBACK_RECIPE,
    LARGE_RECIPE,
    LARGE_SIDE,
    LARGEST_SIDE,
    SMALLEST_SIDE,
)
from synthaug.errors import UserError
from synthaug.progress import EpochProgress, EpochReport, RunReport
from synthaug.records import Json
from synthaug.running.jobs import JobContext
from synthaug.stages.extract import features_of
from synthaug.stages.job_records import TrainParams, TrainResult
from synthaug.stages.measuring import classifier_metrics
from synthaug.stages.new_model import keep, new_name
from synthaug.stages.pixels import load_levels, load_pixels
from synthaug.stages.seeds import check_seed
from synthaug.stages.test_split import fingerprint
from synthaug.store import catalog, gray_images, labels, models, views
from synthaug.workspace import Workspace

if TYPE_CHECKING:
    from synthaug.classifiers.fitted import FittedClassifier


@dataclass(frozen=True, slots=True)
class Dataset:
    """What a recipe learns from, images (N, S, S, 3) or features (N, D) (see ``load_inputs``), and classes (N,)."""

    inputs: NDArray[Any]
    labels: NDArray[np.int64]
    synthetic: NDArray[np.bool_] | None = None  # (N,) which images are synthetic; None: none is
    depth: int = 8  # bits of a pixel: 16 where a film of more than 8 is among the images
    extractor: str | None = None  # of features: the revision of the extractor


@dataclass(frozen=True, slots=True)
class TestSet:
    """The real test images; ``fingerprint`` is the SHA-256 over their sorted hashes and labels."""

    __test__ = False  # not a test class, whatever pytest thinks of its name

    data: Dataset
    fingerprint: str


def default_recipe(workspace: Workspace) -> str:
    """The default recipe, by preset or else by size of the images: a pretrained network for large images."""
    if workspace.preset in DEFAULT_RECIPE:
        return DEFAULT_RECIPE[workspace.preset]
    return LARGE_RECIPE if catalog.usual_side(workspace.db) >= LARGE_SIDE else FALLBACK_RECIPE


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
    image_size: int | None = None,
    synthetic: SyntheticUse | None = None,
) -> models.Model:
    """Train, measure on the test split, and store the model under ``name`` (default: VIEW-RECIPE-SEED).

    ``epochs`` shortens or lengthens the recipe; ``selection`` is which epoch's weights are kept, ``loss`` what
    is minimised, ``synthetic`` what is learned from synthetic images (default: the recipe's); ``image_size`` is the
    side in pixels (default: what the images call for, never less than 224 for films and photographs that have them).
    Raises UserError for missing data or a taken name.
    """
    check_seed(seed)
    chosen = resolve_recipe(workspace, recipe, epochs, selection, loss, image_size, synthetic)
    frozen = views.by_name(workspace.db, view)
    name = new_name(workspace, name or f"{view}-{chosen.name}-{seed}")
    test = load_test_set(workspace, chosen)
    data = load_dataset(workspace, frozen, chosen)
    classifier, measured, _ = fit_and_measure(
        workspace.classes, data, test, chosen, seed, progress, should_cancel
    )
    metrics = {**measured, "test_fingerprint": test.fingerprint, "epochs": chosen.epochs}
    return keep(workspace, name, classifier, seed=seed, metrics=metrics, view_id=frozen.id)


def run(context: JobContext) -> Json:
    """Run a job of :func:`train`."""
    params = TrainParams.from_json(context.job.params)
    history: list[RunReport] = list(context.result.get("history", []))

    def progress(epoch: EpochReport) -> None:
        history.append({"run": params.view, **epoch})
        context.progress(epoch["epoch"], epoch["epochs"], f"epoch {epoch['epoch']}", history=history)

    model = train(
        context.workspace,
        params.view,
        params.recipe,
        params.seed,
        progress=progress,
        should_cancel=context.should_cancel,
    )
    return TrainResult(model.name, model.metrics["accuracy"]).to_json()


def resolve_recipe(
    workspace: Workspace,
    recipe: str | None,
    epochs: int | None = None,
    selection: Selection | None = None,
    loss: Loss | None = None,
    image_size: int | None = None,
    synthetic: SyntheticUse | None = None,
) -> Recipe:
    """The recipe with this name (default: that of the workspace), with the other arguments in place of its settings."""
    chosen = find_recipe(recipe or default_recipe(workspace))
    chosen = replace(
        chosen,
        selection=selection or chosen.selection,
        loss=loss or chosen.loss,
        synthetic=synthetic or chosen.synthetic,
    )
    chosen = replace(chosen, framing=catalog.framing(workspace.db))
    if image_size is None:
        chosen = chosen.for_images_of(catalog.usual_side(workspace.db))
    else:
        chosen = _sized(chosen, image_size)
    if epochs is None:
        return chosen
    if chosen.head_only:
        raise UserError(f"recipe {chosen.name!r} fits a head in one go; it takes no number of epochs")
    return chosen.for_epochs(epochs)


def _sized(recipe: Recipe, image_size: int) -> Recipe:
    check_image_size(image_size)
    if recipe.head_only:
        raise UserError(f"recipe {recipe.name!r} learns from stored features, whose size the images decide")
    return replace(recipe, image_size=image_size)


def check_image_size(image_size: int) -> None:
    """Raises UserError for an image size, in pixels, outside of the supported range."""
    if not SMALLEST_SIDE <= image_size <= LARGEST_SIDE:
        raise UserError(
            f"the image size is {image_size} pixels; it must be in {SMALLEST_SIDE} .. {LARGEST_SIDE}"
        )


def fit_and_measure(
    classes: tuple[str, ...],
    data: Dataset,
    test: TestSet,
    recipe: Recipe,
    seed: int,
    progress: EpochProgress | None = None,
    should_cancel: Callable[[], bool] | None = None,
) -> tuple[FittedClassifier, dict[str, Any], NDArray[np.float32]]:
    """One training run: the classifier of the epoch that the recipe selects, its metrics and its log probabilities.

    The metrics can be written as JSON; the log probabilities (N, K) are those of the test images in their order. With
    the selection "test", as in some papers, the accuracy is too high, because the test set chose the epoch.
    """
    from synthaug.classifiers.linear import head_log_probabilities

    classifier = fit_recipe(
        classes, data, recipe, seed, test=test, progress=progress, should_cancel=should_cancel
    )
    if recipe.head_only:
        log_probs = head_log_probabilities(classifier, test.data.inputs)
    else:
        log_probs = classifier.log_probabilities(test.data.inputs)
    figures = {**classifier_metrics(log_probs, test.data.labels), "train_images": len(data.labels)}
    if data.extractor is not None:
        figures["extractor"] = data.extractor
    return classifier, {**figures, "image_size": recipe.image_size, "depth": data.depth}, log_probs


def fit_recipe(
    classes: tuple[str, ...],
    data: Dataset,
    recipe: Recipe,
    seed: int,
    *,
    test: TestSet | None = None,
    progress: EpochProgress | None = None,
    should_cancel: Callable[[], bool] | None = None,
) -> FittedClassifier:
    """Train a classifier on images or features, as the recipe says; ``test`` is needed where it selects by that."""
    from synthaug.classifiers.fit import fit
    from synthaug.classifiers.linear import fit_head

    if recipe.head_only:
        return fit_head(
            data.inputs,
            data.labels,
            recipe,
            seed,
            class_names=classes,
            progress=progress,
            should_cancel=should_cancel,
            extractor=data.extractor,
            synthetic=data.synthetic,
        )
    return fit(
        data.inputs,
        data.labels,
        len(classes),
        recipe,
        seed,
        class_names=classes,
        progress=progress,
        should_cancel=should_cancel,
        synthetic=data.synthetic,
        selection_set=None
        if test is None or recipe.selection != "test"
        else (test.data.inputs, test.data.labels),
    )


def load_dataset(workspace: Workspace, view: views.View, recipe: Recipe) -> Dataset:
    """The training data of a view for ``recipe``, in the frozen order of the view."""
    members = views.members(workspace.db, view.id)
    classes = np.array([member.class_index for member in members], np.int64)
    synthetic = np.array([member.origin == "synthetic" for member in members], np.bool_)
    return load_images(workspace, [member.sha256 for member in members], classes, recipe, synthetic)


def load_images(
    workspace: Workspace,
    hashes: Sequence[str],
    classes: NDArray[np.int64],
    recipe: Recipe,
    synthetic: NDArray[np.bool_] | None = None,
) -> Dataset:
    """Images at full depth and in the size of the recipe, or stored features if the recipe only fits a head."""
    if recipe.head_only:
        found, revision = features_of(workspace, hashes, framing=recipe.framing)
        known = labels.by_hash(workspace.db, list(dict.fromkeys(hashes)))
        films = gray_images.of_images(workspace.db, [each.image_id for each in known.values()])
        return Dataset(found, classes, synthetic, 16 if films else 8, revision)
    images = load_levels(workspace, hashes, recipe.image_size, recipe.framing)
    return Dataset(images, classes, synthetic, 8 * images.itemsize)


def describe_images(figures: Mapping[str, Any]) -> str:
    """The images that a model was trained on, in words: "224 px a side, 16 bits a pixel ..."."""
    deep = " (each film by its own window, not by its 8-bit picture)" if figures["depth"] > 8 else ""
    return f"{figures['image_size']} px a side, {figures['depth']} bits a pixel{deep}"


def load_view(workspace: Workspace, view: views.View, size: int) -> Dataset:
    """The images of a view as displayed, (N, size, size, 3) uint8, in its frozen order."""
    members = views.members(workspace.db, view.id)
    images = load_pixels(workspace, [member.sha256 for member in members], size)
    return Dataset(images, np.array([member.class_index for member in members], np.int64))


def load_test_set(workspace: Workspace, recipe: Recipe) -> TestSet:
    """The labeled real images of the test split, ordered by hash. Raises UserError if there are none."""
    rows = catalog.hashes_of_split(workspace.db, "test")
    if not rows:
        raise UserError(
            "there are no labeled real test images; import some with: synthaug import SRC --split test"
        )
    classes = np.array([class_index for _, class_index in rows], np.int64)
    return TestSet(load_images(workspace, [sha256 for sha256, _ in rows], classes, recipe), fingerprint(rows))
