"""Give images that were drawn without a class the class a classifier sees in them (the long-tail paper)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from synthaug.config import AUTOMATIC_THRESHOLD
from synthaug.progress import Progress
from synthaug.stages.label import automatic_entry, check_threshold
from synthaug.stages.predict import predict
from synthaug.store import catalog, generations, label_log, labels, models
from synthaug.workspace import Workspace


@dataclass(frozen=True, slots=True)
class PseudoLabels:
    """How many images got each class, and how many were too uncertain."""

    labeled: dict[str, int]
    below: int
    model: str


def pseudo_label(
    workspace: Workspace,
    model: str | None = None,
    threshold: float = AUTOMATIC_THRESHOLD,
    progress: Progress | None = None,
) -> PseudoLabels:
    """Label unlabeled synthetic images without a prompted class, where the classifier is as sure as ``threshold``.

    What has no prediction of ``model`` (see :func:`.predict.predict`) gets one first. The labels are logged with
    the source "automatic"; a person's label always counts for more, and one that a person took back is not given
    again by the same model. Raises UserError.
    """
    check_threshold(threshold)
    chosen = models.by_name(workspace.db, predict(workspace, model, progress, origin="synthetic").model)
    classless = _classless(workspace)
    predictions = models.predictions_of(workspace.db, chosen.id, classless)
    sure = [each for each in predictions.values() if each.confidence >= threshold]
    before = labels.labeled_before(workspace.db, chosen.id, [each.image_id for each in sure])
    new = [automatic_entry(chosen, each) for each in sure if each.image_id not in before]
    label_log.append(workspace.db, new)
    counts = Counter(workspace.classes[each.class_index] for each in new if each.class_index is not None)
    return PseudoLabels(
        {name: counts[name] for name in workspace.classes}, len(classless) - len(sure), chosen.name
    )


def _classless(workspace: Workspace) -> list[int]:
    """Generated images that nobody asked a class of and nobody labeled."""
    ids = [image.id for image in catalog.find_images(workspace.db, origin="synthetic")]
    made = generations.of_images(workspace.db, ids)
    current = labels.current(workspace.db, ids)
    return [each for each in ids if each in made and made[each].class_index is None and each not in current]
