"""Predicting the classes of images with a classifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from synthaug.classifiers.base import Floats
from synthaug.errors import UserError
from synthaug.executors.base import ExecutorSpec
from synthaug.progress import Progress
from synthaug.records import ImageRecord, Json, Origin
from synthaug.running.jobs import JobContext
from synthaug.stages import labeler
from synthaug.stages.cross_fit import check_folds, cross_fit
from synthaug.stages.extract import features_of
from synthaug.stages.inference import look_at
from synthaug.stages.job_records import PredictJobResult, PredictParams
from synthaug.stages.pixels import in_batches
from synthaug.store import catalog, models
from synthaug.store import features as feature_store
from synthaug.store.cross_fits import CrossFit
from synthaug.workspace import Workspace

if TYPE_CHECKING:
    from synthaug.classifiers.fitted import FittedClassifier

BATCH = 512


@dataclass(frozen=True, slots=True)
class PredictResult:
    """The number of predicted images, the model, and the cross-fitting of its training images, if any."""

    predicted: int
    model: str
    cross_fit: CrossFit | None = None


def predict(
    workspace: Workspace,
    model: str | None = None,
    progress: Progress | None = None,
    origin: Origin | None = None,
    executor: ExecutorSpec | None = None,
    *,
    folds: int | None = None,
    full_recipe: bool = False,
) -> PredictResult:
    """Compute and store probabilities and penultimate features of all images without a prediction by ``model``.

    ``model`` may be a shipped one; the default is the newest of the workspace, or else a shipped one with its classes.
    ``origin`` limits the images to those of one origin. ``executor`` says who predicts; None means this process.
    ``folds`` and ``full_recipe`` also predict the training images of the model by cross-fitting (see cross_fit). Raises
    UnknownName, and UserError if there is no model.
    """
    from synthaug.classifiers.fitted import FittedClassifier

    if folds is not None:
        check_folds(folds)
    elif full_recipe:
        raise UserError("the full recipe is used only for cross-fitting; give the number of folds as well")
    chosen = _chosen(workspace, model)
    images = catalog.find_images(workspace.db, origin=origin, without_predictions_of=chosen.id)
    classifier = FittedClassifier.load(workspace.root / chosen.file)
    held = _held_features(workspace, classifier, images, progress, executor)
    if held is None:
        _run_network(workspace, chosen, images, progress, executor)
    else:
        _run_head(workspace, chosen, classifier, images, held)
    if progress is not None:
        progress(len(images), len(images), f"{len(images)} images predicted")
    if folds is None:
        return PredictResult(len(images), chosen.name)
    fitted = cross_fit(workspace, chosen, folds, full_recipe=full_recipe, progress=progress)
    return PredictResult(len(images), chosen.name, fitted)


def _run_network(
    workspace: Workspace,
    chosen: models.Model,
    images: Sequence[ImageRecord],
    progress: Progress | None,
    executor: ExecutorSpec | None,
) -> None:
    """Compute and store the predictions and features of images from their pixels."""
    for ids, seen in look_at(
        workspace,
        [(image.id, image.sha256) for image in images],
        "Predictor",
        {"model": str((workspace.root / chosen.file).absolute())},
        name=f"predict-{chosen.id}",
        created_at=chosen.created_at,
        batch=BATCH,
        executor=executor,
        progress=progress,
        note=f"predicting with {chosen.name}",
    ):
        models.add_predictions(workspace.db, chosen.id, ids, seen["probs"], seen["features"])


def _run_head(
    workspace: Workspace,
    chosen: models.Model,
    classifier: FittedClassifier,
    images: Sequence[ImageRecord],
    held: Floats,
) -> None:
    """Compute and store the predictions of images from the features (N, D) to which the head was fitted."""
    from synthaug.classifiers.linear import head_probabilities

    for part in in_batches(len(images), BATCH):
        ids = [image.id for image in images[part]]
        probs = head_probabilities(classifier, held[part])
        nothing = np.empty((len(ids), 0), np.float32)  # their features are in the store already
        models.add_predictions(workspace.db, chosen.id, ids, probs, nothing)


def _held_features(
    workspace: Workspace,
    classifier: FittedClassifier,
    images: Sequence[ImageRecord],
    progress: Progress | None,
    executor: ExecutorSpec | None,
) -> Floats | None:
    """Stored features (N, D) for a head that was fitted to such features; None if the network has to be run.

    They are extracted as for the training, even if the workspace now has images of other sizes and shapes.
    """
    if "extractor" not in classifier.training or not images:
        return None
    recipe = classifier.recipe
    features, revision = features_of(
        workspace,
        [image.sha256 for image in images],
        progress,
        executor,
        side=recipe.image_size // 2,  # for which the extractor reads at the recipe's size
        framing=recipe.framing,
    )
    return features if revision == classifier.training["extractor"] else None


def _chosen(workspace: Workspace, name: str | None) -> models.Model:
    if name is None and not models.has_classifier(workspace.db):
        name = labeler.fitting(workspace)
    if name in labeler.SHIPPED:
        return labeler.install(workspace, name)
    return models.newest(workspace.db) if name is None else models.by_name(workspace.db, name)


def predicted_by(
    workspace: Workspace, model: models.Model
) -> tuple[list[int], Floats, NDArray[np.floating[Any]]]:
    """Ids (N), probabilities (N, K) and features (N, D) of all predictions of ``model``, ordered by id.

    Raises UserError if the features that a head was fitted to no longer exist.
    """
    ids, probs, own = models.all_predictions(workspace.db, model.id)
    if not ids or own.shape[1] > 0:
        return ids, probs, own
    held = feature_store.by_revision(workspace.db, str(model.metrics.get("extractor")))
    if held is None:
        raise UserError(
            f"the features of {model.name!r} no longer exist; compute them again: synthaug score --recompute"
        )
    stored_ids, rows = feature_store.read_all(workspace.db, workspace.features_folder, held)
    place = {image_id: row for row, image_id in enumerate(stored_ids)}
    return ids, probs, rows[[place[each] for each in ids]].astype(np.float32)


def run(context: JobContext) -> Json:
    """Run a job of :func:`predict`."""
    params = PredictParams.from_json(context.job.params)
    found = predict(context.workspace, params.model, context.progress, folds=params.folds)
    cross_fitted = 0 if found.cross_fit is None else found.cross_fit.images
    return PredictJobResult(found.predicted, found.model, cross_fitted).to_json()
