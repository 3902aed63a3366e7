"""Quick models: fitting a head to stored features in seconds, without a view, also repeatedly while labeling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from synthaug.config import CROSS_FIT_FOLDS
from synthaug.errors import UserError
from synthaug.progress import Progress
from synthaug.records import Json
from synthaug.running.jobs import JobContext
from synthaug.stages.extract import features_of
from synthaug.stages.job_records import TrainAndPredictResult
from synthaug.stages.measuring import classifier_metrics
from synthaug.stages.new_model import keep, new_name, numbered_name
from synthaug.stages.predict import predict
from synthaug.stages.test_split import fingerprint
from synthaug.stages.train import resolve_recipe
from synthaug.store import catalog, jobs, labels, models
from synthaug.workspace import Workspace

if TYPE_CHECKING:
    from synthaug.classifiers.fitted import FittedClassifier

KIND = "quick-model"
RECIPE = "linear"


def quick_model(
    workspace: Workspace, name: str | None = None, seed: int = 0, progress: Progress | None = None
) -> models.Model:
    """Fit the recipe "linear" to all labeled training images, real and synthetic, and store it (default: linear-N).

    Its accuracy is measured on the real test images, or else on the training images by cross-validation, in which case
    ``metrics["held_out"]`` is true. Raises UserError if fewer than two classes are labeled.
    """
    from synthaug.classifiers.linear import fit_head

    name = new_name(workspace, name or numbered_name(workspace, RECIPE))
    images = labels.labeled_for_training(workspace.db)
    if not images:
        raise UserError(
            "no training image is labeled; label some first, on the Label page or with: synthaug label"
        )
    features, extractor = features_of(workspace, [each.sha256 for each in images], progress)
    classes = np.array([each.class_index for each in images], np.int64)
    classifier = fit_head(
        features,
        classes,
        resolve_recipe(workspace, RECIPE),
        seed,
        class_names=workspace.classes,
        extractor=extractor,
    )
    return keep(workspace, name, classifier, seed=seed, metrics=_measured(workspace, classifier))


def _measured(workspace: Workspace, classifier: FittedClassifier) -> dict[str, Any]:
    """The metrics on the real test images, or else those of cross-validation."""
    from synthaug.classifiers.linear import head_log_probabilities

    figures = {**classifier.training, "train_images": classifier.training["images"]}
    figures["image_size"] = classifier.recipe.image_size
    rows = catalog.hashes_of_split(workspace.db, "test")
    if not rows:
        return {**figures, "held_out": True, "accuracy": figures["held_out_accuracy"]}
    features, _ = features_of(workspace, [sha256 for sha256, _ in rows])
    truth = np.array([class_index for _, class_index in rows], np.int64)
    tested = classifier_metrics(head_log_probabilities(classifier, features), truth)
    return {**figures, **tested, "held_out": False, "test_fingerprint": fingerprint(rows)}


def submit(workspace: Workspace) -> int:
    """Queue a quick model and its predictions of all images; returns the id of the job."""
    return jobs.submit(workspace.db, KIND, {}, 0)


def run(context: JobContext) -> Json:
    """Run a job: fit a model to all labeled images, then predict all images, the training images by cross-fitting."""
    model = quick_model(context.workspace, progress=context.progress)
    context.keep(model=model.name)
    folds = max(2, min(CROSS_FIT_FOLDS, model.metrics["train_images"]))
    result = predict(context.workspace, model.name, context.progress, folds=folds)
    return TrainAndPredictResult(model.name, model.metrics["accuracy"], result.predicted).to_json()
