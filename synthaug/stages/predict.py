"""Let a classifier say what it sees in every image it has not seen yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from synthaug.classifiers.fitted import FittedClassifier
from synthaug.progress import Progress
from synthaug.records import Origin
from synthaug.running.jobs import JobContext
from synthaug.stages import labeler
from synthaug.stages.pixels import in_batches, load_pixels
from synthaug.store import catalog, models
from synthaug.workspace import Workspace

BATCH = 512


@dataclass(frozen=True, slots=True)
class PredictResult:
    """How many images were predicted, and by which model."""

    predicted: int
    model: str


def predict(
    workspace: Workspace,
    model: str | None = None,
    progress: Progress | None = None,
    origin: Origin | None = None,
) -> PredictResult:
    """Store probabilities and penultimate features for what ``model`` has not seen (of an origin; None: of both).

    ``model`` may be one that comes with the package; default: the newest of the workspace, else a shipped one
    that knows its classes. Raises UnknownName, or UserError when there is none.
    """
    chosen = _chosen(workspace, model)
    images = catalog.find_images(workspace.db, origin=origin, without_predictions_of=chosen.id)
    classifier = FittedClassifier.load(workspace.root / chosen.file)
    for part in in_batches(len(images), BATCH):
        if progress is not None:
            progress(part.start, len(images), f"predicting with {chosen.name}")
        batch = images[part]
        pixels = load_pixels(workspace, [image.sha256 for image in batch], classifier.recipe.image_size)
        probs, features = classifier.predict(pixels)
        models.add_predictions(workspace.db, chosen.id, [image.id for image in batch], probs, features)
    if progress is not None:
        progress(len(images), len(images), f"{len(images)} images predicted")
    return PredictResult(len(images), chosen.name)


def _chosen(workspace: Workspace, name: str | None) -> models.Model:
    if name is None and not models.names(workspace.db):
        name = labeler.fitting(workspace)
    if name in labeler.SHIPPED:
        return labeler.install(workspace, name)
    return models.newest(workspace.db) if name is None else models.by_name(workspace.db, name)


def run(context: JobContext) -> dict[str, Any]:
    """The job form of :func:`predict`."""
    result = predict(context.workspace, context.job.params.get("model"), context.progress)
    return {"predicted": result.predicted, "model": result.model}
